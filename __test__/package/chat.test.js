'use strict';

// The server of the chat example; its page is tested in a browser.

const { once } = require('events');

const { WebSocket } = require('../..');
const { pack, unpack } = require('../../examples/chat/envelope');
const { Program } = require('../support/program');
const { trackWebSocket } = require('../support/resources');

/** The messages of one visitor, by their types. */
class Guest {
  #messages = [];
  #wake = () => {};

  static async join(url, name, room, since) {
    const guest = new Guest();

    guest.ws = trackWebSocket(new WebSocket(`${url}/chat`));
    guest.ws.on('message', (data, isBinary) => {
      const { header, bytes } = isBinary
        ? unpack(data)
        : { header: JSON.parse(data) };

      guest.#messages.push({ ...header, ...(bytes && { bytes }) });
      guest.#wake();
    });
    await once(guest.ws, 'open');
    guest.send({
      type: 'join',
      secret: `secret of ${name}`,
      name,
      room,
      since
    });
    guest.id = (await guest.next('joined')).you;
    return guest;
  }

  send(message) {
    this.ws.send(JSON.stringify(message));
  }

  /** The next message of that type; others are left. */
  async next(type, isWanted = () => true) {
    for (;;) {
      const index = this.#messages.findIndex(
        (message) => message.type === type && isWanted(message)
      );

      if (index >= 0) return this.#messages.splice(index, 1)[0];
      await new Promise((resolve) => (this.#wake = resolve));
    }
  }

  /** What was said before a text, in order. */
  async until(text) {
    const { id } = await this.next('text', (message) => message.text === text);

    return this.#messages
      .filter((message) => message.id < id && message.key)
      .map((message) => message.text ?? message.name);
  }
}

let url;

beforeEach(async () => {
  url = (await new Program('examples/chat/server.js').url()).replace(
    /^http/,
    'ws'
  );
});

test('a room has its own people and messages', async () => {
  const ada = await Guest.join(url, 'Ada', 'lobby');
  const mary = await Guest.join(url, 'Mary', 'garden');
  const grace = await Guest.join(url, 'Grace', 'lobby');

  const { people } = await ada.next('people', (each) => each.people.length > 1);

  expect(people).toEqual([
    { id: ada.id, name: 'Ada' },
    { id: grace.id, name: 'Grace' }
  ]);
  expect(
    (await ada.next('rooms', ({ rooms }) => rooms[0].size === 2)).rooms
  ).toEqual([
    { name: 'lobby', size: 2 },
    { name: 'garden', size: 1 }
  ]);

  ada.send({ type: 'typing' });
  expect(await grace.next('typing')).toEqual({
    type: 'typing',
    id: ada.id,
    name: 'Ada'
  });
  ada.send({ type: 'text', key: '1', text: 'Hello' });
  for (const guest of [ada, grace]) {
    expect(await guest.next('text')).toMatchObject({
      key: '1',
      from: { id: ada.id, name: 'Ada' },
      text: 'Hello'
    });
  }

  mary.send({ type: 'text', key: '2', text: 'Nobody but me' });
  expect(await mary.until('Nobody but me')).toEqual([]);
  grace.ws.close();
  await ada.next('people', (each) => each.people.length === 1);
});

test('files go to everybody, and to those who come later', async () => {
  const ada = await Guest.join(url, 'Ada', 'lobby');
  const bytes = Buffer.alloc(1024 * 1024, 'file');

  ada.ws.send(pack({ key: '1', name: 'a.txt', mime: 'text/plain' }, bytes));
  await ada.next('file');

  const file = await (await Guest.join(url, 'Grace', 'lobby')).next('file');

  expect(file).toMatchObject({
    key: '1',
    from: { id: ada.id, name: 'Ada' },
    name: 'a.txt',
    mime: 'text/plain'
  });
  expect(file.bytes.equals(bytes)).toBe(true);
});

test('who comes back hears what was missed, and is not heard twice', async () => {
  const ada = await Guest.join(url, 'Ada', 'lobby');
  const grace = await Guest.join(url, 'Grace', 'lobby');

  ada.send({ type: 'text', key: '1', text: 'one' });

  const { id } = await grace.next('text');

  grace.ws.terminate();
  ada.send({ type: 'text', key: '2', text: 'two' });
  ada.send({ type: 'text', key: '2', text: 'two' });
  ada.send({ type: 'text', key: '3', text: 'three' });

  const back = await Guest.join(url, 'Grace', 'lobby', id);

  expect(back.id).toBe(grace.id);
  expect(await back.until('three')).toEqual(['two']);
});

test('a second window takes the place of the first', async () => {
  const first = await Guest.join(url, 'Ada', 'lobby');
  const closed = once(first.ws, 'close');
  const second = await Guest.join(url, 'Ada', 'lobby');

  expect((await closed)[0]).toBe(4001);
  expect((await second.next('people')).people).toEqual([
    { id: second.id, name: 'Ada' }
  ]);
});

test('sends away who sends nonsense, and nobody else', async () => {
  const bystander = await Guest.join(url, 'Grace', 'lobby');

  for (const [message, reason] of [
    ['no JSON', 'Malformed'],
    [Buffer.from([0xff]), 'Malformed'],
    [{ type: 'dance' }, 'There is no message of type dance'],
    [{ type: 'text', key: '1', text: ' ' }, 'Something is missing'],
    [
      { type: 'text', key: '1', text: 'x'.repeat(4001) },
      'Something is too long'
    ]
  ]) {
    const ada = await Guest.join(url, 'Ada', 'lobby');
    const isObject = message.constructor === Object;

    ada.ws.send(isObject ? JSON.stringify(message) : message);
    expect((await once(ada.ws, 'close')).map(String)).toEqual(['1008', reason]);
  }
  bystander.send({ type: 'text', key: '2', text: 'Still here' });
  expect(await bystander.until('Still here')).toEqual([]);
});

test('refuses the pages of other sites', async () => {
  for (const [origin, status] of [
    ['https://example.com', 401],
    ['null', 401],
    [url.replace(/^ws/, 'http'), 101]
  ]) {
    const ws = trackWebSocket(new WebSocket(`${url}/chat`, { origin }));
    const answer = new Promise((resolve) => {
      ws.on('upgrade', (response) => resolve(response.statusCode));
      ws.on('unexpected-response', (request, response) => {
        request.destroy();
        resolve(response.statusCode);
      });
    });

    ws.on('error', () => {});
    expect(await answer).toBe(status);
  }
});

test('serves its page and nothing else', async () => {
  const origin = url.replace(/^ws/, 'http');
  const get = (path) =>
    fetch(origin + path, { headers: { Connection: 'close' } });
  const page = await get('/');

  expect(page.headers.get('content-security-policy')).toContain(
    "default-src 'self'"
  );
  for (const [, name] of (await page.text()).matchAll(
    /(?:src|href)="([^"]+)"/g
  )) {
    expect((await get(`/${name}`)).status).toBe(200);
  }
  expect((await get('/server.js')).status).toBe(404);
  expect((await get('/%2e%2e/server.js')).status).toBe(404);
});
