'use strict';

// A browser as the client, over each way that a socket can take. Functions that
// `page.evaluate()` gets run in the page.

const { once } = require('events');
const { createServer } = require('http');

const { listen } = require('../support/connection');
const { describeEach, oxws, ws } = require('../support/implementations');
const { openPage } = require('./support/browser');
const dial = require('./support/dial');

const MIB = 1024 * 1024;

const rows = [
  { name: 'ws, native', lib: ws, route: 'native' },
  { name: 'oxws, native', lib: oxws, route: 'native' },
  { name: 'oxws, adopted', lib: oxws, route: 'adopted' },
  { name: 'oxws, TLS', lib: oxws, route: 'TLS' }
];

// The page that the WebSockets are opened from, and where it lies.
const server = createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end('<!doctype html><link rel="icon" href="data:,">');
});
let origin;
let page;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${server.address().port}/`;
  page = await openPage(origin, {}, dial);
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** A server that sends everything back. */
async function serve({ lib, route }, options) {
  const { WebSocketServer } = lib;
  const { wss, url } = await listen({ WebSocketServer, route }, options);

  wss.on('connection', (ws) => {
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  });
  return { wss, url };
}

/** The server's end of the connection that the page opens next. */
async function accept(wss) {
  const [ws] = await once(wss, 'connection');

  return ws;
}

/** Sends bytes and text of that length; resolves whether they came back. */
function exchange(url, length) {
  return page.evaluate(
    async ([url, length]) => {
      const ws = await window.dial(url);
      const bytes = new Uint8Array(length);
      const text = 'aé漢🦀'.repeat(Math.floor(length / 10));

      for (let index = 0; index < length; index++) bytes[index] = index * 7;
      ws.binaryType = 'arraybuffer';
      ws.send(bytes);
      ws.send(text);

      const echo = new Uint8Array(await ws.next());
      const isSame = (await ws.next()) === text;

      ws.close();
      for (let index = 0; index < length; index++) {
        if (echo[index] !== bytes[index]) return [index, isSame];
      }
      return [echo.length, isSame];
    },
    [url, length]
  );
}

describeEach(rows, 'Chromium', (row) => {
  test('sends and receives text, blobs and buffers', async () => {
    const { url } = await serve(row);
    const received = await page.evaluate(async (url) => {
      const ws = await window.dial(url);
      const answers = [];
      const describe = async (data) => {
        if (typeof data === 'string') return data;
        return `${data.constructor.name} ${await new Response(data).text()}`;
      };

      for (const type of ['blob', 'arraybuffer']) {
        ws.binaryType = type;
        for (const data of [
          '',
          'grüße 🦀',
          new Blob(['a ', 'blob']),
          new TextEncoder().encode('a view'),
          new TextEncoder().encode('a buffer').buffer,
          new Blob([])
        ]) {
          ws.send(data);
          answers.push(await describe(await ws.next()));
        }
      }
      return answers;
    }, url);

    expect(received).toEqual(
      ['Blob', 'ArrayBuffer'].flatMap((type) => [
        '',
        'grüße 🦀',
        `${type} a blob`,
        `${type} a view`,
        `${type} a buffer`,
        `${type} `
      ])
    );
  });

  test('moves a mebibyte each way', async () => {
    const { url } = await serve(row);

    expect(await exchange(url, MIB)).toEqual([MIB, true]);
  });

  test('agrees on a subprotocol', async () => {
    const offers = [];
    const { url } = await serve(row, {
      handleProtocols: (protocols) => {
        offers.push([...protocols].join());
        return protocols.has('chat') && 'chat';
      }
    });
    const chosen = await page.evaluate(
      async (url) =>
        Promise.all(
          [[], 'chat', ['superchat', 'chat'], ['superchat']].map(
            async (protocols) => {
              const ws = await window.dial(url, protocols);

              return [ws.protocol, ws.readyState];
            }
          )
        ),
      url
    );

    // Browsers insist on one of those they offer.
    expect(chosen).toEqual([
      ['', 1],
      ['chat', 1],
      ['chat', 1],
      ['', 3]
    ]);
    expect(offers.sort()).toEqual(['chat', 'superchat', 'superchat,chat']);
  });

  test('closes', async () => {
    const { url, wss } = await serve(row);

    for (const [parameters, code, reason] of [
      [[], 1005, ''],
      [[1000], 1000, ''],
      [[1000, 'done'], 1000, 'done'],
      [[3000, 'grüße'], 3000, 'grüße'],
      [[4999, 'x'.repeat(123)], 4999, 'x'.repeat(123)]
    ]) {
      const accepted = accept(wss);
      const closing = page.evaluate(
        async ([url, parameters]) => {
          const ws = await window.dial(url);

          ws.send('last words');
          ws.close(...parameters);
          return ws.closed;
        },
        [url, parameters]
      );
      const peer = await accepted;
      const words = once(peer, 'message');
      const [ours] = await Promise.all([once(peer, 'close'), words]);

      expect(String((await words)[0])).toBe('last words');
      expect([ours[0], String(ours[1])]).toEqual([code, reason]);
      expect(await closing).toEqual({ code, reason, wasClean: true });
    }
  });

  test('is closed', async () => {
    const { url, wss } = await serve(row);

    for (const [parameters, code, reason] of [
      [[], 1005, ''],
      [[1000, 'done'], 1000, 'done'],
      [[1001], 1001, ''],
      [[1008, 'no'], 1008, 'no'],
      [[1013, 'later'], 1013, 'later'],
      [[4000, 'grüße'], 4000, 'grüße']
    ]) {
      const accepted = accept(wss);
      const closing = page.evaluate(
        async (url) => (await window.dial(url)).closed,
        url
      );
      const peer = await accepted;
      const closed = once(peer, 'close');

      peer.close(...parameters);
      expect(await closing).toEqual({ code, reason, wasClean: true });
      expect((await closed)[0]).toBe(code);
    }
  });

  test('sees that a connection breaks off', async () => {
    const { url, wss } = await serve(row);
    const accepted = accept(wss);
    const closing = page.evaluate(
      async (url) => (await window.dial(url)).closed,
      url
    );

    (await accepted).terminate();
    expect(await closing).toEqual({ code: 1006, reason: '', wasClean: false });
  });

  test('is told that a message is too long', async () => {
    const { url, wss } = await serve(row, { maxPayload: 10 });
    const accepted = accept(wss);
    const closing = page.evaluate(async (url) => {
      const ws = await window.dial(url);

      ws.send('x'.repeat(11));
      return ws.closed;
    }, url);
    const [err] = await once(await accepted, 'error');

    expect(err.code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    expect(await closing).toEqual({ code: 1009, reason: '', wasClean: true });
  });

  test('answers pings', async () => {
    const { url, wss } = await serve(row);
    const accepted = accept(wss);

    await page.evaluate(async (url) => {
      window.kept = await window.dial(url);
    }, url);

    const peer = await accepted;
    const answered = once(peer, 'pong');

    peer.ping('are you there?');
    expect(String((await answered)[0])).toBe('are you there?');
  });

  test.each([
    [true, 'permessage-deflate'],
    [
      { serverNoContextTakeover: true, clientNoContextTakeover: true },
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover'
    ],
    [
      { serverMaxWindowBits: 10, clientMaxWindowBits: 9 },
      'permessage-deflate; client_max_window_bits=9; server_max_window_bits=10'
    ]
  ])('compresses, with %j', async (perMessageDeflate, extensions) => {
    const { url, wss } = await serve(row, { perMessageDeflate });
    const accepted = accept(wss);
    const received = await page.evaluate(async (url) => {
      const ws = await window.dial(url);
      const answers = [];

      for (const number of [1, 2, 3]) {
        const text = `text ${number} `.repeat(20_000);

        ws.send(text);
        answers.push((await ws.next()) === text);
      }
      window.kept = ws;
      return [ws.extensions, answers];
    }, url);
    const { _socket: socket } = await accepted;

    expect(received).toEqual([extensions, [true, true, true]]);
    expect(socket.bytesRead).toBeLessThan(20_000);
    expect(socket.bytesWritten).toBeLessThan(20_000);
  });

  test('goes away with its page', async () => {
    const { url, wss } = await serve(row);
    const left = await openPage(origin, {}, dial);

    for (const leave of [
      () => left.reload(),
      () => left.goto(`${origin}another`),
      () => left.close()
    ]) {
      const accepted = accept(wss);

      await left.evaluate(async (url) => {
        window.kept = await window.dial(url);
      }, url);

      const closed = once(await accepted, 'close');

      await leave();
      expect((await closed)[0]).toBe(1001);
    }
  });
});

describe('Chromium, with much to do', () => {
  const row = { lib: oxws, route: 'native' };

  test('moves 16 MiB each way', async () => {
    const { url } = await serve(row);

    expect(await exchange(url, 16 * MIB)).toEqual([16 * MIB, true]);
  });

  test('opens fifty connections', async () => {
    const { url, wss } = await serve(row);
    const echoed = await page.evaluate(async (url) => {
      window.all = await Promise.all(
        Array.from({ length: 50 }, () => window.dial(url))
      );
      return Promise.all(
        window.all.map((ws, index) => {
          ws.send(`number ${index}`);
          return ws.next();
        })
      );
    }, url);

    expect(echoed).toEqual(
      Array.from({ length: 50 }, (_, index) => `number ${index}`)
    );
    expect(wss.clients.size).toBe(50);
    for (const ws of wss.clients) ws.send('to all');
    expect(
      await page.evaluate(() => Promise.all(window.all.map((ws) => ws.next())))
    ).toEqual(Array(50).fill('to all'));
  });
});
