'use strict';

const { once } = require('events');

const { dial } = require('../support/connection');
const {
  describeEach,
  implementations,
  routedImplementations
} = require('../support/implementations');
const { rawServer, switchingProtocols } = require('../support/raw');
const { trace } = require('../support/trace');

/** An ordinary HTTP response. */
function answer(status, reason, body = '') {
  return [
    `HTTP/1.1 ${status} ${reason}`,
    'Content-Type: text/plain',
    `Content-Length: ${body.length}`,
    '',
    body
  ].join('\r\n');
}

describeEach(routedImplementations, "'upgrade'", ({ lib, route }) => {
  test('has the response, before the client is open', async () => {
    const { url } = await rawServer((peer, head) => {
      peer.write(switchingProtocols(head, ['Set-Cookie: a=1', 'X-Case: y']));
    }, route);
    const client = dial({ WebSocket: lib, route }, url);
    const [[response, readyState]] = await Promise.all([
      new Promise((resolve) => {
        client.on('upgrade', (response) => {
          resolve([response, client.readyState]);
        });
      }),
      once(client, 'open')
    ]);

    expect(readyState).toBe(0);
    expect(response.statusCode).toBe(101);
    expect(response.statusMessage).toBe('Switching Protocols');
    expect(response.httpVersion).toBe('1.1');
    expect('req' in response).toBe(false);
    expect(response.headers['set-cookie']).toEqual(['a=1']);
    expect(response.rawHeaders.slice(-4)).toEqual([
      'Set-Cookie',
      'a=1',
      'X-Case',
      'y'
    ]);
  });

  test.each(['close', 'terminate'])('%s() in it prevents open', async (end) => {
    const { url } = await rawServer((peer, head) => {
      peer.write(switchingProtocols(head));
    }, route);
    const client = dial({ WebSocket: lib, route }, url);
    const events = trace(client);

    client.on('upgrade', () => client[end]());
    await new Promise((resolve) => client.on('close', resolve));
    expect(events.slice(1)).toEqual([
      {
        event: 'error',
        readyState: 2,
        class: 'Error',
        message: 'WebSocket was closed before the connection was established'
      },
      { event: 'close', readyState: 3, code: 1006, reason: 'Buffer(0) ' }
    ]);
  });

  test.each([
    ['the socket', (_, { socket }) => socket.destroy(), []],
    ['it for a reason', (_, { socket }) => socket.destroy(Error('o')), ['o']],
    ['the request', ({ _req: request }) => request.destroy(), []],
    ['the request by abort()', ({ _req: request }) => request.abort(), []]
  ])(
    'destroying %s in it leaves nothing to refuse',
    async (_, destroy, messages) => {
      const { url } = await rawServer((peer) => {
        peer.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n' +
            'Connection: Upgrade\r\nSec-WebSocket-Accept: none\r\n\r\n'
        );
      }, route);
      const client = dial({ WebSocket: lib, route }, url);
      const events = trace(client);

      client.on('upgrade', (response) => destroy(client, response));
      await new Promise((resolve) => client.on('close', resolve));
      expect(events.slice(1)).toMatchObject([
        ...messages.map((message) => ({
          event: 'error',
          readyState: 2,
          message
        })),
        { event: 'close', readyState: 3, code: 1006 }
      ]);
    }
  );
});

describeEach(implementations, "'unexpected-response'", ({ lib }) => {
  test('has the request and the response with its body', async () => {
    const { url } = await rawServer((peer) => {
      peer.write(answer(401, 'Unauthorized', 'who are you?'));
    });
    const client = dial({ WebSocket: lib }, url);
    const events = trace(client);
    const [request, response] = await once(client, 'unexpected-response');
    let body = '';

    for await (const chunk of response) body += chunk;

    expect(body).toBe('who are you?');
    expect(response.statusCode).toBe(401);
    expect(response.headers['content-type']).toBe('text/plain');
    expect(request.path).toBe('/');
    expect(request.method).toBe('GET');
    expect(client.readyState).toBe(0);
    expect(events).toEqual([]);
  });

  test.each(['close', 'terminate'])(
    '%s() in it ends the client',
    async (end) => {
      const { url } = await rawServer((peer) => peer.write(answer(500, 'Oh')));
      const client = dial({ WebSocket: lib }, url);
      const events = trace(client);

      client.on('unexpected-response', () => client[end]());
      await new Promise((resolve) => client.on('close', resolve));
      expect(events).toEqual([
        {
          event: 'error',
          readyState: 2,
          class: 'Error',
          message: 'WebSocket was closed before the connection was established'
        },
        { event: 'close', readyState: 3, code: 1006, reason: 'Buffer(0) ' }
      ]);
    }
  );

  test('aborting the request in it is no error', async () => {
    const { url } = await rawServer((peer) => {
      peer.socket.end(answer(401, 'Unauthorized', 'no'));
    });
    const client = dial({ WebSocket: lib }, url);
    const events = trace(client);
    const [request, response] = await once(client, 'unexpected-response');
    const closed = new Promise((resolve) => response.on('close', resolve));

    request.abort();
    await closed;
    await new Promise(setImmediate);
    expect(request.aborted).toBe(true);
    expect(client.readyState).toBe(0);
    expect(events).toEqual([]);
  });

  test('destroying the request with an error fails the client', async () => {
    const { url } = await rawServer((peer) => {
      peer.write('HTTP/1.1 500 Oh\r\nContent-Length: 5\r\n\r\n');
    });
    const client = dial({ WebSocket: lib }, url);
    const events = trace(client);

    client.on('unexpected-response', (request, response) => {
      response.on('error', () => {});
      request.destroy(new Error('not that'));
    });
    await new Promise((resolve) => client.on('close', resolve));
    expect(events).toMatchObject([
      { event: 'error', readyState: 2, message: 'not that' },
      { event: 'close', readyState: 3, code: 1006 }
    ]);
  });
});
