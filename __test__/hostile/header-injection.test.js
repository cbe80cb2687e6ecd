'use strict';

const { once } = require('events');
const http = require('http');

const { describeEach, implementations } = require('../support/implementations');
const { wsAndDrivers, linesOf } = require('../support/drivers');
const { rawServer, rawSocket, upgradeRequest } = require('../support/raw');
const { trackServer, trackWebSocketServer } = require('../support/resources');
const { thrown } = require('../support/trace');

const BREAK = 'a\r\nX-Injected: 1';

/** Ways into a response, by hooks of the user's. */
const hooks = [
  ['handleProtocols', { handleProtocols: () => BREAK }],
  ['a status', { verifyClient: (_, done) => done(false, `400 ${BREAK}`, 'x') }],
  [
    'a value',
    { verifyClient: (_, done) => done(false, 401, '', { A: BREAK }) }
  ],
  [
    'a name',
    { verifyClient: (_, done) => done(false, 401, '', { [BREAK]: 'a' }) }
  ],
  ['a line', {}, (lines) => lines.push(`A: ${BREAK}`)],
  ['a bare LF', { handleProtocols: () => 'a\nX-Injected: 1' }],
  ['a NUL', { handleProtocols: () => 'a\0X-Injected: 1' }]
];

describeEach(implementations, 'a line break in a response', ({ name, lib }) => {
  /** What the peer gets, and what handleUpgrade() throws. */
  async function answer(options, onHeaders = () => {}) {
    const server = trackServer(http.createServer());
    const wss = trackWebSocketServer(
      new lib.WebSocketServer({ noServer: true, ...options })
    );
    let error;

    wss.on('headers', onHeaders);
    server.on('upgrade', (request, socket, head) => {
      error = thrown(() => {
        wss.handleUpgrade(request, socket, head, () => {});
      });
      if (error === undefined) socket.destroySoon();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    const peer = await rawSocket(server.address().port);

    peer.write(
      upgradeRequest({ headers: { 'Sec-WebSocket-Protocol': 'a, b' } })
    );
    return { text: String(await peer.rest()), error };
  }

  test.each(hooks)('from %s', async (...[, options, onHeaders]) => {
    const { text, error } = await answer(options, onHeaders);

    if (name === 'ws') {
      expect(text).toContain('X-Injected: 1');
      expect(error).toBe(undefined);
      return;
    }
    expect(text).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
    expect(text).not.toContain('X-Injected');
    expect(error).toMatchObject({
      class: 'TypeError',
      code: 'ERR_INVALID_CHAR'
    });
  });

  test('from a body stays in the body', async () => {
    const { text } = await answer({
      verifyClient: (_, done) => done(false, 401, BREAK)
    });

    expect(text).toMatch(/Content-Length: 16\r\n\r\na\r\nX-Injected: 1$/);
  });

  test('is not what makes words outside ASCII', async () => {
    const { text } = await answer({
      verifyClient: (_, done) => done(false, 403, '', { 'X-Why': 'nö, нет\t.' })
    });

    expect(text).toContain('\r\nX-Why: nö, нет\t.\r\n');
  });
});

/** What a hook throws ends no connection of others. */
describeEach(wsAndDrivers, 'a hook of an own server', (driver) => {
  test('that throws, or that would break the head', async () => {
    const lines = await linesOf(driver, (WebSocket) => {
      const net = require('net');
      const wss = new WebSocket.Server({
        port: 0,
        host: '127.0.0.1',
        verifyClient: ({ req }) => {
          if (req.url === '/throw') throw new Error('mine');
          return true;
        },
        handleProtocols: (_, { url }) => (url === '/break' ? 'a\r\nb: c' : 'a')
      });
      const ask = (path, next) => {
        const socket = net.connect(wss.address().port, '127.0.0.1');
        let text = '';

        socket.on('error', () => {});
        socket.setEncoding('latin1').on('data', (data) => {
          text += data;
          if (!text.includes('\r\n\r\n')) return;
          console.log(path, text.split('\r\n')[0]);
          socket.destroy();
        });
        socket.on('close', next);
        socket.write(
          `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n` +
            'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
            'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
            'Sec-WebSocket-Protocol: a\r\n\r\n'
        );
        return socket;
      };

      let waiting;

      process.on('uncaughtException', (err) => {
        console.log(err.message.split(' in ')[0]);
        // ws does not answer.
        if (waiting) waiting();
      });
      wss.on('listening', () => {
        const socket = ask('/throw', () => {
          waiting = undefined;
          ask('/break', () => {
            ask('/good', () => wss.close());
          });
        });

        waiting = () => setTimeout(() => socket.destroy(), 200);
      });
    });

    expect(lines).toEqual(
      driver.library === 'ws'
        ? [
            'mine',
            '/break HTTP/1.1 101 Switching Protocols',
            '/good HTTP/1.1 101 Switching Protocols'
          ]
        : [
            'mine',
            '/throw HTTP/1.1 500 Internal Server Error',
            'Invalid character',
            '/break HTTP/1.1 500 Internal Server Error',
            '/good HTTP/1.1 101 Switching Protocols'
          ]
    );
  });
});

describeEach(implementations, 'a line break in a request', ({ lib }) => {
  const { WebSocket } = lib;
  const invalid = {
    class: 'TypeError',
    code: 'ERR_INVALID_CHAR'
  };
  const cases = [
    ['a value', { headers: { A: BREAK } }, invalid],
    ['one of several values', { headers: { A: ['b', BREAK] } }, invalid],
    [
      'a name',
      { headers: { [BREAK]: 'b' } },
      { class: 'TypeError', code: 'ERR_INVALID_HTTP_TOKEN' }
    ],
    ['Host', { headers: { Host: BREAK } }, invalid],
    ['Cookie', { headers: { Cookie: BREAK } }, invalid],
    ['the origin', { origin: BREAK }, invalid],
    [
      'the window bits',
      { perMessageDeflate: { clientMaxWindowBits: BREAK } },
      invalid
    ]
  ];

  describe.each([
    ['a socket of its own', () => ({})],
    ["Node's", () => ({ agent: new http.Agent() })]
  ])('over %s', (_, createOptions) => {
    test.each(cases)('from %s is refused', (_, options, error) => {
      expect(
        thrown(
          () =>
            new WebSocket('ws://127.0.0.1:1/', {
              ...createOptions(),
              ...options
            })
        )
      ).toMatchObject(error);
    });

    test('from a subprotocol is refused', () => {
      expect(
        thrown(
          () => new WebSocket('ws://127.0.0.1:1/', [BREAK], createOptions())
        )
      ).toMatchObject({ class: 'SyntaxError' });
    });

    test('from user and password is in Base64', async () => {
      let onHead;
      const asked = new Promise((resolve) => (onHead = resolve));
      const { port } = await rawServer((peer, head) => {
        onHead(head);
        peer.socket.destroy();
      });
      const client = new WebSocket(
        `ws://a%0d%0aX-Injected:1@127.0.0.1:${port}/%0d%0aX-Injected:1`,
        createOptions()
      );

      const closed = new Promise((resolve) => client.on('close', resolve));

      client.on('error', () => {});

      const head = await asked;

      await closed;
      expect(head).not.toContain('\nX-Injected');
      expect(head).toMatch(/^GET \/%0d%0aX-Injected:1 HTTP\/1\.1\r\n/);
    });

    test('or a space in a path of a unix socket is refused', () => {
      expect(
        thrown(
          () => new WebSocket('ws+unix:socket:/a HTTP/1.1 b', createOptions())
        )
      ).toMatchObject({ class: 'TypeError', code: 'ERR_UNESCAPED_CHARACTERS' });
    });
  });
});
