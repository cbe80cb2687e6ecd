'use strict';

const { once } = require('events');

const { handleConnect, serveHttp2 } = require('../../lib/extra');
const { oxws } = require('../support/implementations');
const { trackWebSocketServer } = require('../support/resources');
const { OPCODE, KEY, frame } = require('../support/wire');
const { anotherCopy, onceClosed } = require('./support/connections');
const {
  createServer,
  listen,
  refusal,
  openStream
} = require('./support/http2');

describe('handleConnect()', () => {
  async function handle(wss, callback) {
    const { server, connect } = await listen(
      createServer({ settings: { enableConnectProtocol: true } })
    );

    server.on('stream', (stream, headers) => callback(stream, headers));
    return connect();
  }

  function create(options) {
    return trackWebSocketServer(
      new oxws.WebSocketServer({ noServer: true, ...options })
    );
  }

  test('answers what is no request for a WebSocket', async () => {
    const wss = create();
    const session = await handle(wss, (stream, headers) =>
      handleConnect(wss, stream, headers, () => {})
    );

    expect(
      await refusal(session, { ':protocol': 'connect-udp' })
    ).toMatchObject({ status: 501, body: 'Invalid :protocol pseudo-header' });

    for (const headers of [
      { ':path': '/' },
      { ':method': 'CONNECT', ':authority': 'a.test:1' }
    ]) {
      const stream = session.request(headers);
      const [response] = await once(stream, 'response');

      expect(response[':status']).toBe(405);
      stream.resume();
    }
  });

  test('chooses the server', async () => {
    const servers = { '/a': create(), '/b': create() };
    const opened = [];
    const session = await handle(null, (stream, headers) => {
      const path = headers[':path'];

      handleConnect(servers[path], stream, headers, (websocket, request) =>
        opened.push([servers[path].clients.has(websocket), request.url])
      );
    });

    await openStream(session, { ':path': '/b' });
    await openStream(session, { ':path': '/a' });
    expect(opened).toEqual([
      [true, '/b'],
      [true, '/a']
    ]);
  });

  test('goes through the methods of a subclass', async () => {
    const calls = [];

    class Server extends oxws.WebSocketServer {
      handleUpgrade(...args) {
        calls.push('handleUpgrade');
        super.handleUpgrade(...args);
      }

      completeUpgrade(...args) {
        calls.push('completeUpgrade');
        super.completeUpgrade(...args);
      }
    }

    class WebSocket extends oxws {
      setSocket(...args) {
        calls.push('setSocket');
        super.setSocket(...args);
      }
    }

    const wss = trackWebSocketServer(new Server({ noServer: true, WebSocket }));
    const session = await handle(wss, (stream, headers) =>
      handleConnect(wss, stream, headers, (ws) =>
        ws.on('message', () => ws.terminate())
      )
    );
    const { response, peer, stream } = await openStream(session);

    peer.write(frame({ opcode: OPCODE.text, key: KEY }));

    expect(response[':status']).toBe(200);
    expect(calls).toEqual(['handleUpgrade', 'completeUpgrade', 'setSocket']);
    await peer.closed;
    expect(stream.rstCode).toBe(8);
  });

  test.each([
    [
      'that copy of oxws',
      () => ({ WebSocket: oxws, extra: { handleConnect } })
    ],
    ['another', anotherCopy]
  ])('is for a stream once, also by %s', async (title, getOther) => {
    const { WebSocket, extra } = getOther();
    const wss = create();
    const other = trackWebSocketServer(
      new WebSocket.Server({ noServer: true })
    );
    let error;
    const session = await handle(wss, (stream, headers) => {
      handleConnect(wss, stream, headers, (ws) => ws.send('text'));
      try {
        extra.handleConnect(other, stream, headers, () => {});
      } catch (err) {
        error = err;
      }
    });
    const { peer, response } = await openStream(session);

    expect(response[':status']).toBe(200);
    expect(error.message).toMatch(/called more than once/);
    expect(await peer.frame()).toMatchObject({ payload: Buffer.from('text') });
  });

  test('answers 500 for a function that throws', async () => {
    const wss = create({
      verifyClient() {
        throw new Error('verify');
      }
    });
    let error;
    const session = await handle(wss, (stream, headers) => {
      try {
        handleConnect(wss, stream, headers, () => {});
      } catch (err) {
        error = err;
      }
    });

    expect(await refusal(session)).toMatchObject({ status: 500 });
    expect(error.message).toBe('verify');
  });

  test.each([
    ['a line break', 'X: a\r\nb', 'Invalid character in header "X: a\\r\\nb"'],
    ['no name', ':status: 201', 'Invalid header ":status: 201"']
  ])('lets no header with %s out', async (title, line, message) => {
    const wss = create();
    let error;

    wss.on('headers', (lines) => lines.push(line));

    const session = await handle(wss, (stream, headers) => {
      try {
        handleConnect(wss, stream, headers, () => {});
      } catch (err) {
        error = err;
      }
    });

    expect(await refusal(session)).toMatchObject({ status: 500 });
    expect(error).toEqual(new TypeError(message));
  });

  test('makes nothing of a client that has gone', async () => {
    let verify;
    const wss = create({
      verifyClient: (info, callback) => (verify = callback)
    });
    const opened = [];
    let serverStream;
    const session = await handle(wss, (stream, headers) => {
      serverStream = stream;
      handleConnect(wss, stream, headers, (ws) => opened.push(ws));
      client.close(8);
    });

    await once(session, 'remoteSettings');

    const client = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/',
      'sec-websocket-version': '13'
    });

    await once(client, 'close');
    while (!serverStream.destroyed) await new Promise(setImmediate);
    verify(true);
    expect(opened).toEqual([]);
    expect(wss.clients.size).toBe(0);
  });

  test('refuses nobody who has gone', async () => {
    const wss = create({ path: '/chat' });
    let handled;
    const session = await handle(wss, (stream, headers) => {
      handled = once(stream, 'close').then(() =>
        handleConnect(wss, stream, headers, () => {})
      );
      client.close(8);
    });

    await once(session, 'remoteSettings');

    const client = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/',
      'sec-websocket-version': '13'
    });

    await once(client, 'close');
    while (handled === undefined) await new Promise(setImmediate);
    await handled;
  });

  test.each([
    ['a listener of "headers" destroys', 'headers', (req) => req.destroy()],
    ['handleProtocols() destroys', 'protocols', (req) => req.destroy()],
    ['a listener resets', 'headers', ({ stream }) => stream.close(0)]
  ])('opens and closes what %s', async (title, when, end) => {
    const wss = create({
      handleProtocols(protocols, request) {
        if (when === 'protocols') end(request);
        return 'a';
      }
    });
    let handled;
    const closed = new Promise((resolve, reject) => {
      handled = (stream, headers) => {
        try {
          handleConnect(wss, stream, headers, (websocket) =>
            resolve(onceClosed(websocket))
          );
        } catch (err) {
          reject(err);
        }
      };
    });

    wss.on('headers', (lines, request) => {
      if (when === 'headers') end(request);
    });

    const session = await handle(wss, handled);

    openStream(session, { 'sec-websocket-protocol': 'a' });
    expect(await closed).toEqual([1006, '']);
    expect(wss.clients.size).toBe(0);
  });

  test('takes nothing else', () => {
    const wss = create();

    expect(() => handleConnect({}, {}, {}, () => {})).toThrow(TypeError);
    for (const value of [undefined, null, {}, 'stream']) {
      expect(() => handleConnect(wss, value, {}, () => {})).toThrow(
        new TypeError('Expected a stream of a server of node:http2')
      );
      expect(() => serveHttp2(wss, value)).toThrow(
        new TypeError('Expected a server of node:http2')
      );
    }
    expect(() => serveHttp2(undefined, createServer())).toThrow(TypeError);
  });
});
