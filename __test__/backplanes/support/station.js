'use strict';

const { onRelease } = require('../../support/resources');

/** What stands in the place of `Topics` behind a backplane. */
class Station {
  #waiting = [];

  constructor(backplane) {
    this.backplane = backplane;
    this.received = [];
    this.errors = [];
    /** Called with each message that comes. */
    this.onMessage = () => {};
    backplane.start(
      (topic, bytes) => {
        // What is not copied may be used again.
        this.received.push([topic, Buffer.from(bytes)]);
        this.onMessage();
        this.#tell();
      },
      (err) => {
        this.errors.push(err.message);
        this.#tell();
      }
    );
    onRelease(() => this.close());
  }

  async subscribe(...topics) {
    await Promise.all(topics.map((topic) => this.backplane.subscribe(topic)));
  }

  unsubscribe(topic) {
    return this.backplane.unsubscribe(topic);
  }

  publish(topic, data) {
    const published = this.#publish(topic, data);

    // The others may have heard it before the broker answers, and the test have
    // ended.
    published.catch(() => {});

    return published;
  }

  async #publish(topic, data) {
    await this.backplane.publish(topic, Buffer.from(data));
  }

  /** The texts that came, behind each other with their topics. */
  get texts() {
    return this.received.map(([topic, bytes]) => `${topic}:${bytes}`);
  }

  /** Waits until that is so; each message and each error has it looked at. */
  until(isSo) {
    return new Promise((resolve) => {
      this.#waiting.push({ isSo, resolve });
      this.#tell();
    });
  }

  /** Waits for a text. */
  hears(text) {
    return this.until(() => this.texts.includes(text));
  }

  async close() {
    await (this.closing ??= this.backplane.close());
  }

  #tell() {
    this.#waiting = this.#waiting.filter(({ isSo, resolve }) => {
      if (!isSo()) return true;
      resolve();
      return false;
    });
  }
}

/** Two that are subscribed to "a". `connect()` makes a backplane. */
async function pair(connect, options) {
  const stations = [
    new Station(await connect(options)),
    new Station(await connect(options))
  ];

  await Promise.all(stations.map((station) => station.subscribe('a')));
  return stations;
}

/** Has what one says heard by the other, whatever is lost before it is. */
async function reach(from, to, topic) {
  let count = 0;
  const timer = setInterval(() => {
    from.publish(topic, `probe ${count++}`).catch(() => {});
  }, 10);
  const before = to.received.length;

  await to.until(() =>
    to.received
      .slice(before)
      .some(([, bytes]) => String(bytes).startsWith('probe'))
  );
  clearInterval(timer);
}

/** Topics of all kinds, and bytes of all values. */
const TOPICS = ['a', '', 'a.b', '*', '>', 'ü 🦀\n%', '%', 'x'.repeat(5000)];
const BYTES = Buffer.from(Array.from({ length: 256 }, (_, index) => index));

module.exports = { BYTES, Station, TOPICS, pair, reach };
