'use strict';

const { once } = require('events');

const { describeEach, implementations } = require('../support/implementations');
const { rawClient, rawSocket, upgradeRequest } = require('../support/raw');
const {
  trackWebSocket,
  trackWebSocketServer
} = require('../support/resources');
const { thrown } = require('../support/trace');
const { closePayload, frame, KEY, OPCODE } = require('../support/wire');
const { clientOptions, kinds, listen } = require('./support/http-servers');
const { messages, record, turns } = require('./support/matrix');

const rows = implementations.flatMap(({ name, ...row }) =>
  kinds.map((kind) => ({ name: `${name}, ${kind.name}`, ...row, kind }))
);

const text = (payload) => frame({ opcode: OPCODE.text, payload, key: KEY });

const UPGRADED_TWICE = {
  class: 'Error',
  message:
    'server.handleUpgrade() was called more than once with the same socket, ' +
    'possibly due to a misconfiguration'
};

describeEach(rows, 'handleUpgrade()', ({ lib, kind }) => {
  /** A WebSocketServer without a server; `options` are its own. */
  function createServer(options) {
    return trackWebSocketServer(
      new lib.WebSocketServer({ noServer: true, ...options })
    );
  }

  /** An http server of this kind whose 'upgrade' goes to `onUpgrade`. */
  async function serve(onUpgrade) {
    const served = await listen(kind);

    served.server.on('upgrade', onUpgrade);
    return served;
  }

  function dial(url, options) {
    return trackWebSocket(
      new lib.WebSocket(url, { ...clientOptions, ...options })
    );
  }

  test('may wait for a decision while frames arrive', async () => {
    const wss = createServer();
    let decide;
    const decision = new Promise((resolve) => (decide = resolve));
    const { port } = await serve(async (request, socket, head) => {
      await decision;
      wss.handleUpgrade(request, socket, head, (websocket) => {
        wss.emit('connection', websocket);
      });
    });
    const peer = await rawSocket(port, kind.route);

    peer.write(upgradeRequest(), text('in the head'));
    await turns();
    peer.write(text('while it waits'));
    await turns();
    peer.write(Buffer.from(text('in two parts')).subarray(0, 5));
    await turns();

    const connected = once(wss, 'connection');

    decide();

    const [websocket] = await connected;
    const events = record(websocket);
    const closed = once(websocket, 'close');
    const head = await peer.head();

    expect(head.split('\r\n', 1)).toEqual(['HTTP/1.1 101 Switching Protocols']);
    peer.write(
      Buffer.from(text('in two parts')).subarray(5),
      frame({ opcode: OPCODE.close, payload: closePayload(1000), key: KEY })
    );
    await closed;
    expect(events).toEqual([
      '1 message text Buffer(11) in the head',
      '1 message text Buffer(14) while it waits',
      '1 message text Buffer(12) in two parts',
      '3 close 1000 Buffer(0) '
    ]);
  });

  test('takes what the user has put back into the socket', async () => {
    const wss = createServer();
    let onMessages;
    const received = new Promise((resolve) => (onMessages = resolve));
    const { port } = await serve(async (request, socket, head) => {
      const [chunk] = await once(socket, 'data');

      socket.pause();
      socket.unshift(chunk);
      await turns();
      wss.handleUpgrade(request, socket, head, (websocket) => {
        onMessages(messages(websocket, 3));
      });
      socket.resume();
    });
    const peer = await rawSocket(port, kind.route);

    peer.write(upgradeRequest(), text('head'));
    await turns();
    peer.write(text('put back'));
    await peer.head();
    peer.write(text('later'));
    expect((await received).map(([data]) => String(data))).toEqual([
      'head',
      'put back',
      'later'
    ]);
  });

  test('does nothing for a client that was reset meanwhile', async () => {
    const wss = createServer();
    const callback = jest.fn();
    let finish;
    const finished = new Promise((resolve) => (finish = resolve));
    const { port } = await serve(async (request, socket, head) => {
      socket.on('error', () => {});
      socket.resume();
      if (kind.scheme === 'ws') peer.socket.resetAndDestroy();
      else peer.socket.destroy();
      await new Promise((resolve) => socket.on('close', resolve));
      wss.handleUpgrade(request, socket, head, callback);
      await turns();
      finish();
    });
    const peer = await rawSocket(port, kind.route);

    peer.write(upgradeRequest());
    await finished;
    expect(callback).not.toHaveBeenCalled();
    expect(wss.clients.size).toBe(0);
  });

  test('throws when it is called twice with one socket', async () => {
    const servers = [createServer(), createServer()];
    const errors = [];
    const { url } = await serve((request, socket, head) => {
      servers[0].handleUpgrade(request, socket, head, (websocket) => {
        websocket.on('message', (data) => {
          websocket.send(data);
          errors.push(thrown(again));
        });
      });

      function again() {
        servers[1].handleUpgrade(request, socket, head, () => {});
      }

      errors.push(thrown(again));
    });
    const client = dial(url);
    const arrival = messages(client, 1);

    client.on('open', () => client.send('not disturbed'));
    expect(String((await arrival)[0][0])).toBe('not disturbed');
    expect(errors).toEqual([UPGRADED_TWICE, UPGRADED_TWICE]);
    expect(servers.map(({ clients }) => clients.size)).toEqual([1, 0]);
  });

  test('shares a server among paths', async () => {
    const servers = { '/a': createServer(), '/b': createServer() };

    for (const [path, wss] of Object.entries(servers)) {
      wss.on('connection', (websocket) => {
        websocket.on('message', (data) => websocket.send(`${path} ${data}`));
      });
    }

    const { url } = await serve((request, socket, head) => {
      const { pathname } = new URL(request.url, 'http://localhost');
      const wss = servers[pathname];

      if (!wss) {
        socket.destroy();
        return;
      }
      wss.handleUpgrade(request, socket, head, (websocket) => {
        wss.emit('connection', websocket, request);
      });
    });
    const clients = ['a', 'b?query', 'a'].map((path) => dial(url + path));
    const answers = clients.map((client) => messages(client, 1));

    for (const client of clients) client.on('open', () => client.send('hi'));
    expect(
      (await Promise.all(answers)).map(([[data]]) => String(data))
    ).toEqual(['/a hi', '/b hi', '/a hi']);
    expect(servers['/a'].clients.size).toBe(2);
    expect(servers['/b'].clients.size).toBe(1);

    const refused = dial(`${url}c`);
    const [err] = await new Promise((resolve) => {
      refused.on('error', (...args) => resolve(args));
    });

    expect(err.code).toBe('ECONNRESET');
  });

  test('lets a second server on the same socket answer too', async () => {
    const { server, port } = await listen(kind);
    let events;

    for (const path of ['/a', '/b']) {
      const wss = trackWebSocketServer(
        new lib.WebSocketServer({ server, path })
      );

      wss.on('connection', (websocket) => (events = record(websocket)));
    }

    const peer = await rawClient(port, { route: kind.route, path: '/a' });

    expect(peer.response).toContain('101 Switching Protocols');
    expect((await peer.rest()).toString('latin1')).toBe(
      [
        'HTTP/1.1 400 Bad Request',
        'Connection: close',
        'Content-Type: text/html',
        'Content-Length: 11',
        '',
        'Bad Request'
      ].join('\r\n')
    );
    while (events.length === 0) await turns();
    expect(events).toEqual(['3 close 1006 Buffer(0) ']);
  });

  test('shows all bytes to a listener that was there before', async () => {
    const wss = createServer();
    const seen = [];
    let websocket;
    const { url } = await serve((request, socket, head) => {
      socket.on('data', (chunk) => seen.push(Buffer.from(chunk)));
      wss.handleUpgrade(request, socket, head, (opened) => {
        websocket = opened;
        websocket.on('message', (data) => websocket.send(data));
      });
    });
    const client = dial(url, { generateMask: (mask) => KEY.copy(mask) });
    const arrival = messages(client, 2);

    client.on('open', () => {
      client.send('one');
      client.send('two');
    });
    expect((await arrival).map(([data]) => String(data))).toEqual([
      'one',
      'two'
    ]);
    expect(Buffer.concat(seen)).toEqual(
      Buffer.concat([text('one'), text('two')])
    );
  });

  test('answers errors of the request on the socket', async () => {
    const wss = createServer({ verifyClient: () => false });
    const { url } = await serve((request, socket, head) => {
      setImmediate(() => wss.handleUpgrade(request, socket, head, () => {}));
    });
    const client = dial(url);
    const [err] = await new Promise((resolve) => {
      client.on('error', (...args) => resolve(args));
    });

    expect(err.message).toBe('Unexpected server response: 401');
  });
});

describeEach(implementations, 'a WebSocketServer that is closed', ({ lib }) => {
  test('answers 503 and no longer hears its http server', async () => {
    const { server, url } = await listen(kinds[0]);
    const wss = new lib.WebSocketServer({ server });

    await new Promise((resolve) => wss.close(resolve));
    expect(server.listenerCount('upgrade')).toBe(0);
    server.on('upgrade', (request, socket, head) => {
      wss.handleUpgrade(request, socket, head, () => {});
    });

    const client = trackWebSocket(new lib.WebSocket(url));
    const [err] = await new Promise((resolve) => {
      client.on('error', (...args) => resolve(args));
    });

    expect(err.message).toBe('Unexpected server response: 503');
  });
});
