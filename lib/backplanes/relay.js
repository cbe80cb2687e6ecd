'use strict';

const fs = require('fs');
const net = require('net');

const native = require('../native/addon');
const endSocket = require('./end-socket');
const {
  FrameReader,
  frameOf,
  lostFrame,
  topicOf,
  typeOf,
  types
} = require('./frames');

const { CONFIRMED, MESSAGE, SUBSCRIBE, UNSUBSCRIBE } = types;

const NOTHING = Buffer.alloc(0);

/** Passes on what the members of a machine publish, to those who have subscribed. */
class Relay {
  /**
   * Listens, if nobody else does. Who listens holds a lock, which the system takes
   * back when the process ends, however it does: a socket that is left behind by
   * one that is gone can be told from one that is in use.
   *
   * @param {string} path
   * @param {number} maxPending Bytes that may wait for a member
   * @return {Promise<?Relay>}
   */
  static async listen(path, maxPending) {
    const hasLocks = process.platform !== 'win32';
    const lock = hasLocks ? fs.openSync(`${path}.lock`, 'a', 0o600) : -1;
    const relay = new Relay(maxPending, lock);

    try {
      if (!hasLocks || native.tryLock(lock)) {
        if (hasLocks) removeSocket(path);
        await relay._listen(path);

        return relay;
      }
    } catch (err) {
      // Of a pipe that is how one hears that somebody else listens.
      if (hasLocks || err.code !== 'EADDRINUSE') {
        relay._release();
        throw err;
      }
    }

    relay._release();

    return null;
  }

  constructor(maxPending, lock) {
    this._maxPending = maxPending;
    this._lock = lock;
    this._members = new Set();
    /** Members by topic. @type {Map<string, Set<Member>>} */
    this._topics = new Map();
    this._server = net.createServer((socket) => this._onConnection(socket));
  }

  /** Lets the next one listen, and ends the connections after what is sent. */
  async close() {
    this._server.close();
    this._release();
    await Promise.all([...this._members].map((member) => member.end()));
  }

  _listen(path) {
    return new Promise((resolve, reject) => {
      this._server.once('error', reject);
      // In a worker of a cluster the primary would listen.
      this._server.listen({ path, exclusive: true }, () => {
        this._server.off('error', reject);
        // One that could not be accepted tries again.
        this._server.on('error', () => {});
        resolve(undefined);
      });
      this._server.unref();
    });
  }

  _release() {
    if (this._lock !== -1) fs.closeSync(this._lock);
    this._lock = -1;
  }

  _onConnection(socket) {
    const member = new Member(socket, this._maxPending);
    /** Members that were written to since these bytes came. */
    const written = new Set();
    const reader = new FrameReader((frame) =>
      this._onFrame(member, frame, written)
    );

    this._members.add(member);
    socket.unref();
    // 'close' follows.
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      reader.read(chunk);
      for (const { socket } of written) socket.uncork();
      written.clear();
    });
    socket.on('close', () => {
      this._members.delete(member);
      for (const topic of member.topics) this._unsubscribe(member, topic);
    });
  }

  _onFrame(member, frame, written) {
    const topic = topicOf(frame);

    switch (typeOf(frame)) {
      case SUBSCRIBE:
        this._subscribe(member, topic);
        member.socket.write(frameOf(CONFIRMED));
        break;
      case UNSUBSCRIBE:
        this._unsubscribe(member, topic);
        break;
      case MESSAGE:
        for (const other of this._topics.get(topic) ?? []) {
          if (other === member) continue;
          if (!written.has(other)) {
            written.add(other);
            other.socket.cork();
          }
          other.send(frame);
        }
    }
  }

  _subscribe(member, topic) {
    const members = this._topics.get(topic) ?? new Set();

    this._topics.set(topic, members.add(member));
    member.topics.add(topic);
  }

  _unsubscribe(member, topic) {
    const members = this._topics.get(topic);

    member.topics.delete(topic);
    members?.delete(member);
    if (members?.size === 0) this._topics.delete(topic);
  }
}

/** One that was left behind; what is no socket is somebody's. */
function removeSocket(path) {
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isSocket()) {
    fs.unlinkSync(path);
  }
}

/** One that is connected. */
class Member {
  constructor(socket, maxPending) {
    this.socket = socket;
    this.topics = new Set();
    this._maxPending = maxPending;
    this._lost = 0;
  }

  /** Who does not read loses messages, and hears how many. */
  send(frame) {
    const { writableLength } = this.socket;

    if (
      writableLength > 0 &&
      writableLength + frame.length > this._maxPending
    ) {
      // Called behind what waits. 'drain' follows only where that was much.
      if (this._lost === 0) {
        this.socket.write(NOTHING, () => this._tellLost());
      }
      this._lost++;
    } else {
      this.socket.write(frame);
    }
  }

  async end() {
    this._tellLost();
    await endSocket(this.socket);
  }

  _tellLost() {
    if (this._lost > 0) this.socket.write(lostFrame(this._lost));
    this._lost = 0;
  }
}

module.exports = Relay;
