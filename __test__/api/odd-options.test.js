'use strict';

const { once } = require('events');

const { listen } = require('../support/connection');
const { implementations, oxws, ws } = require('../support/implementations');
const { trackWebSocket } = require('../support/resources');
const { describeError } = require('../support/trace');

const values = [
  undefined,
  null,
  0,
  -1,
  NaN,
  2 ** 31,
  '',
  'x',
  '1',
  false,
  true,
  {},
  []
];

const shared = [
  'allowSynchronousEvents',
  'autoPong',
  'maxBufferedChunks',
  'maxFragments',
  'maxPayload',
  'maxPendingAutoPongs',
  'perMessageDeflate',
  'skipUTF8Validation'
];

const clients = [
  ...shared,
  'auth',
  'family',
  'followRedirects',
  'handshakeTimeout',
  'headers',
  'host',
  'maxRedirects',
  'method',
  'origin',
  'path',
  'port',
  'protocols',
  'protocolVersion',
  'socketPath',
  'timeout'
];

const servers = [
  ...shared,
  'backlog',
  'clientTracking',
  'handleProtocols',
  'host',
  'path',
  'verifyClient',
  'WebSocket'
];

/** What differs and is said to, by the name of the option. */
const known = {
  // ws leaves the client without an answer; oxws says 500.
  WebSocket: () => true,
  handleProtocols: (value) => Boolean(value),
  verifyClient: (value) => Boolean(value),
  // Addresses are looked up: the same error, but not at the same time.
  host: (value) => typeof value === 'string' && value !== ''
};

/** What a connection comes to: an exchange of messages, or an error. */
async function outcome(make) {
  const events = [];
  let client;

  try {
    client = trackWebSocket(make());
  } catch (err) {
    return [describeError(err)];
  }

  const closed = new Promise((resolve) => client.on('close', resolve));
  let turn = 0;

  client.on('error', (err) => events.push(describeError(err)));
  client.on('ping', () => events.push(`ping ${turn}`));
  client.on('message', (data) => {
    events.push(`${data} ${turn}`);
    setImmediate(() => turn++);
    if (String(data) === 'last') {
      events.push(client.extensions, client.protocol);
      client.close();
    }
  });
  client.on('upgrade', ({ headers }) => events.push(headers.upgrade));

  return [...events, await closed];
}

function greet(websocket) {
  websocket.on('error', () => {});
  // In one chunk, so that it matters whether events are apart.
  websocket._socket.cork();
  websocket.send('one');
  websocket.ping();
  websocket.send('last');
  websocket._socket.uncork();
}

test.each(clients)('%s of a client is taken as ws takes it', async (name) => {
  const { wss, url } = await listen(ws, {
    perMessageDeflate: { threshold: 1024 }
  });

  wss.on('connection', greet);

  const outcomes = ({ WebSocket }) =>
    Promise.all(
      values.map(async (value) => [
        value,
        await outcome(() => new WebSocket(url, { [name]: value }))
      ])
    );
  const expected = await outcomes(ws);

  expect(await outcomes(oxws)).toEqual(expected);
});

test.each(servers)('%s of a server is taken as ws takes it', async (name) => {
  const serve = async ({ WebSocketServer }, value) => {
    let wss;

    try {
      wss = new WebSocketServer({ port: 0, host: '127.0.0.1', [name]: value });
    } catch (err) {
      return [describeError(err)];
    }

    const failed = await once(wss, 'listening').then(() => null, describeError);

    if (failed) return [failed];

    wss.on('connection', greet);

    const url = `ws://127.0.0.1:${wss.address().port}/`;
    const result = await outcome(() => new ws.WebSocket(url));

    for (const client of wss.clients ?? []) client.terminate();
    await new Promise((resolve) => wss.close(resolve));
    return [wss.clients instanceof Set, ...result];
  };

  const outcomes = (lib) =>
    Promise.all(
      values
        .filter((value) => !known[name]?.(value))
        .map(async (value) => [value, await serve(lib, value)])
    );
  const expected = await outcomes(ws);

  expect(await outcomes(oxws)).toEqual(expected);
});

test.each(implementations)(
  '$name ignores a callback that is no function',
  async ({ lib }) => {
    const wss = new lib.WebSocketServer({ port: 0 }, 'x');

    await once(wss, 'listening');
    await new Promise((resolve) => wss.close(resolve));
  }
);
