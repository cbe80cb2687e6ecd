'use strict';

const { once } = require('events');
const http = require('http');
const net = require('net');

const { dial } = require('../support/connection');
const { describeEach, implementations } = require('../support/implementations');
const { trackServer, trackWebSocketServer } = require('../support/resources');
const { trace } = require('../support/trace');

/**
 * An http.Server that upgrades requests for '/end' and redirects all others to
 * what `target(path)` says. Resolves `{ url, requests }`.
 */
async function redirecting({ WebSocketServer }, target, host = '127.0.0.1') {
  const server = trackServer(http.createServer());
  const wss = trackWebSocketServer(new WebSocketServer({ noServer: true }));
  const requests = [];

  server.on('upgrade', (request, socket, head) => {
    requests.push(request);
    if (request.url === '/end') {
      wss.handleUpgrade(request, socket, head, (ws) => wss.emit('done', ws));
    } else {
      socket.end(
        `HTTP/1.1 302 Found\r\nLocation: ${target(request.url)}\r\n\r\n`
      );
    }
  });
  server.listen(0, host);
  await once(server, 'listening');
  return { url: `ws://${host}:${server.address().port}`, requests };
}

async function failed(client) {
  const events = trace(client);

  await new Promise((resolve) => client.on('close', resolve));
  return events;
}

describeEach(implementations, 'redirects', ({ lib }) => {
  const followRedirects = true;

  test.each(['close', 'terminate'])(
    'are ended by %s() in their listener, once',
    async (method) => {
      const options = { followRedirects, handshakeTimeout: 50 };
      const { url } = await redirecting(lib, () => '/silent');
      const client = dial(lib, `${url}/a`, [], options);

      client.on('redirect', () => client[method]());

      const events = await failed(client);

      expect(events.map(({ event }) => event)).toEqual(['error', 'close']);

      // The timer of this one began later.
      const silent = trackServer(net.createServer(() => {})).listen(0);

      await once(silent, 'listening');

      const later = dial(
        lib,
        `ws://127.0.0.1:${silent.address().port}`,
        [],
        options
      );

      await failed(later);
      expect(events.map(({ event }) => event)).toEqual(['error', 'close']);
    }
  );

  test('are followed, relative ones too, and reported', async () => {
    const { url, requests } = await redirecting(lib, (path) =>
      path === '/a' ? 'b' : '/end'
    );
    const client = dial(lib, `${url}/a`, [], { followRedirects });
    const redirects = [];

    client.on('redirect', (target, request) => {
      redirects.push([target, request.path, client.readyState]);
    });
    await once(client, 'open');
    expect(redirects).toEqual([
      [`${url}/b`, '/b', 0],
      [`${url}/end`, '/end', 0]
    ]);
    expect(client.url).toBe(`${url}/end`);
    expect(requests.map((request) => request.url)).toEqual([
      '/a',
      '/b',
      '/end'
    ]);
  });

  test('may point to http: and keep the subprotocols', async () => {
    const { url, requests } = await redirecting(
      lib,
      () => `${url.replace('ws:', 'http:')}/end`
    );
    const client = dial(lib, `${url}/a`, ['chat'], { followRedirects });

    await once(client, 'open');
    expect(client.protocol).toBe('chat');
    expect(
      requests.map(({ headers }) => headers['sec-websocket-protocol'])
    ).toEqual(['chat', 'chat']);
    expect(requests[0].headers['sec-websocket-key']).not.toBe(
      requests[1].headers['sec-websocket-key']
    );
  });

  test('are an unexpected response without followRedirects', async () => {
    const { url } = await redirecting(lib, () => '/end');

    expect(await failed(dial(lib, `${url}/a`))).toMatchObject([
      { event: 'error', message: 'Unexpected server response: 302' },
      { event: 'close', code: 1006 }
    ]);
  });

  test.each([0, 1, 10])('end after maxRedirects %p', async (maxRedirects) => {
    const { url, requests } = await redirecting(lib, () => '/again');
    const client = dial(lib, `${url}/a`, [], { followRedirects, maxRedirects });

    expect(await failed(client)).toMatchObject([
      { event: 'error', readyState: 2, message: 'Maximum redirects exceeded' },
      { event: 'close', readyState: 3, code: 1006 }
    ]);
    expect(requests).toHaveLength(maxRedirects + 1);
  });

  test.each([
    ['http://', 'SyntaxError', 'Invalid URL: http://'],
    [
      'ftp://host/',
      'SyntaxError',
      'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", ' +
        'or "ws+unix:"'
    ],
    ['/x#part', 'SyntaxError', 'The URL contains a fragment identifier']
  ])('to %s end with an error event', async (location, name, message) => {
    const { url } = await redirecting(lib, () => location);

    expect(
      await failed(dial(lib, `${url}/a`, [], { followRedirects }))
    ).toEqual([
      { event: 'error', readyState: 2, class: name, message },
      { event: 'close', readyState: 3, code: 1006, reason: 'Buffer(0) ' }
    ]);
  });

  const secrets = {
    headers: { Authorization: 'Bearer x', Cookie: 'a=1', Host: 'h', 'X-A': '1' }
  };

  function headersOf({ headers }) {
    const { authorization, cookie, host } = headers;

    return { authorization, cookie, host, other: headers['x-a'] };
  }

  test('keep the secrets on the same host', async () => {
    const { url, requests } = await redirecting(lib, () => '/end');

    await once(
      dial(lib, `${url}/a`, [], { followRedirects, ...secrets }),
      'open'
    );
    expect(requests.map(headersOf)).toEqual(
      Array(2).fill({
        authorization: 'Bearer x',
        cookie: 'a=1',
        host: 'h',
        other: '1'
      })
    );
  });

  test('drop the secrets on another host', async () => {
    const end = await redirecting(lib, () => '', '127.0.0.2');
    const { url } = await redirecting(lib, () => `${end.url}/end`);

    await once(
      dial(lib, `${url}/a`, [], { followRedirects, ...secrets }),
      'open'
    );
    expect(end.requests.map(headersOf)).toEqual([
      {
        authorization: undefined,
        cookie: undefined,
        host: end.url.slice('ws://'.length),
        other: '1'
      }
    ]);
  });

  test("leave the secrets to a 'redirect' listener", async () => {
    const end = await redirecting(lib, () => '', '127.0.0.2');
    const { url } = await redirecting(lib, () => `${end.url}/end`);
    const client = dial(lib, `${url}/a`, [], { followRedirects, ...secrets });

    client.on('redirect', (target, request) => request.removeHeader('cookie'));
    await once(client, 'open');
    expect(end.requests.map(headersOf)).toEqual([
      { authorization: 'Bearer x', cookie: undefined, host: 'h', other: '1' }
    ]);
  });

  test('send the first userinfo to the same host only', async () => {
    const end = await redirecting(lib, () => '', '127.0.0.2');
    const { url, requests } = await redirecting(lib, (path) =>
      path === '/a' ? '/b' : `${end.url}/end`
    );

    await once(
      dial(lib, `${url.replace('//', '//user:word@')}/a`, [], {
        followRedirects
      }),
      'open'
    );
    expect(
      [...requests, ...end.requests].map(({ headers }) => headers.authorization)
    ).toEqual([
      `Basic ${btoa('user:word')}`,
      `Basic ${btoa('user:word')}`,
      undefined
    ]);
  });

  test.each(['close', 'terminate'])(
    'end when %s() is called in the listener',
    async (method) => {
      const { url } = await redirecting(lib, () => '/b');
      const client = dial(lib, `${url}/a`, [], { followRedirects });

      client.on('redirect', () => client[method]());
      expect(await failed(client)).toMatchObject([
        {
          event: 'error',
          message: 'WebSocket was closed before the connection was established'
        },
        { event: 'close', code: 1006 }
      ]);
    }
  );
});
