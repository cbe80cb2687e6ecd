'use strict';

const { once } = require('events');

const { connect, dial, listen } = require('../support/connection');
const { describeEach, pairs } = require('../support/implementations');
const { trace } = require('../support/trace');

/** How long a message may be that every scenario can send. */
const LARGE = 1 << 20;

/** Both traces of a connection on which `play(client, server)` runs. */
async function converse(pair, setup, play) {
  const traces = {};
  const closed = {};
  const connection = await connect(pair, {
    ...setup,
    onServer: (server) => {
      traces.server = trace(server);
      closed.server = new Promise((resolve) => server.on('close', resolve));
    },
    onClient: (client) => {
      traces.client = trace(client);
      closed.client = new Promise((resolve) => client.on('close', resolve));
    }
  });

  await play(connection.client, connection.server);
  await Promise.all([closed.client, closed.server]);
  return traces;
}

/** The trace of a client that is refused. */
async function refuse(pair, { server, ...setup }) {
  const { url } = await listen(pair, server);
  const client = dial(pair, url + (setup.path || ''), setup.protocols, {
    ...setup.client
  });
  const events = trace(client);

  await new Promise((resolve) => client.on('close', resolve));
  return events;
}

const sizes = [0, 1, 125, 126, 65535, 65536, LARGE];
const pattern = (size) => Buffer.alloc(size, 'The quick brown fox. ');

const compression = (options) => ({
  server: { perMessageDeflate: { threshold: 0, ...options } },
  client: { perMessageDeflate: { threshold: 0, ...options } }
});

/** `[what, setup, play]` */
const scenarios = [
  [
    'messages of every size from the client',
    {},
    (client) => {
      for (const size of sizes) {
        client.send(pattern(size));
        client.send(pattern(size).toString());
      }
      client.close(1000, 'sent');
    }
  ],
  [
    'messages of every size from the server',
    {},
    (client, server) => {
      for (const size of sizes) {
        server.send(pattern(size));
        server.send(pattern(size).toString());
      }
      server.close(1000, 'sent');
    }
  ],
  [
    'an echo of text and bytes',
    {},
    async (client, server) => {
      server.on('message', (data, isBinary) => {
        server.send(data, { binary: isBinary });
      });
      for (const data of ['a', Buffer.from('b'), '\u4e16', pattern(70000)]) {
        client.send(data);
        await once(client, 'message');
      }
      client.close();
    }
  ],
  [
    'fragments both ways',
    {},
    async (client, server) => {
      for (const [from, to] of [
        [client, server],
        [server, client]
      ]) {
        const answered = once(from, 'pong');

        from.send('one', { fin: false });
        from.send('', { fin: false });
        from.ping('between');
        from.send('two', { fin: true });
        from.send(pattern(70000), { fin: false });
        from.send(pattern(LARGE), { fin: true });
        await once(to, 'message');
        await once(to, 'message');
        await answered;
      }
      server.close(1001);
    }
  ],
  [
    'each binary type',
    {},
    async (client, server) => {
      for (const type of ['arraybuffer', 'fragments', 'nodebuffer']) {
        client.binaryType = type;
        server.send(Buffer.from('a'), { fin: false });
        server.send(Buffer.from('bc'), { fin: true });
        await once(client, 'message');
      }
      client.close();
    }
  ],
  [
    'pings and pongs both ways',
    {},
    async (client, server) => {
      for (const [from, to] of [
        [client, server],
        [server, client]
      ]) {
        for (const data of ['', 'x', 'y'.repeat(125)]) {
          const answered = once(from, 'pong');

          from.ping(data);
          await answered;
        }
        from.pong('unasked');
        await once(to, 'pong');
      }
      client.close();
    }
  ],
  [
    'no automatic pong',
    { server: { autoPong: false }, client: { autoPong: false } },
    async (client, server) => {
      client.ping('x');
      await once(server, 'ping');
      server.ping('y');
      await once(client, 'ping');
      server.close(4999, 'no pong');
    }
  ],
  ...[1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 4999].map(
    (code) => [
      `close code ${code}`,
      {},
      (client, server) => {
        (code % 2 ? client : server).close(code, `reason ${code}`);
      }
    ]
  ),
  ['a close without a code', {}, (client) => client.close()],
  [
    'a close of both at once',
    {},
    (client, server) => {
      client.close(1000, 'client');
      server.close(1001, 'server');
    }
  ],
  ['terminate() by the client', {}, (client) => client.terminate()],
  ['terminate() by the server', {}, (client, server) => server.terminate()],
  [
    'subprotocols',
    { protocols: ['a', 'b'], server: { handleProtocols: () => 'b' } },
    (client) => client.close()
  ],
  [
    'too long a message for the server',
    { server: { maxPayload: 100 } },
    (client) => client.send(pattern(101))
  ],
  [
    'too long a message for the client',
    { client: { maxPayload: 100 } },
    (client, server) => server.send(pattern(101))
  ],
  [
    'too many fragments',
    { server: { maxFragments: 2 } },
    (client) => {
      for (const data of ['1', '2', '3']) client.send(data, { fin: false });
    }
  ],
  [
    'a client that does not mask',
    {},
    (client) => client.send('x', { mask: false })
  ],
  [
    'a text that is no UTF-8',
    {},
    (client) => client.send(Buffer.from([0xff]), { binary: false })
  ],
  [
    'compressed messages of every size',
    compression(),
    async (client, server) => {
      for (const size of sizes) {
        client.send(pattern(size));
        server.send(pattern(size).toString());
      }
      client.send('end');
      server.send('end');
      await Promise.all([once(client, 'pong'), client.ping()]);
      client.close();
    }
  ],
  [
    'compression without context takeover',
    compression({
      serverNoContextTakeover: true,
      clientNoContextTakeover: true
    }),
    async (client, server) => {
      server.on('message', (data) => server.send(data));
      for (const size of sizes) {
        client.send(pattern(size));
        await once(client, 'message');
      }
      client.close();
    }
  ],
  [
    'compression with small windows',
    compression({ serverMaxWindowBits: 9, clientMaxWindowBits: 10 }),
    async (client, server) => {
      server.on('message', (data) => server.send(data));
      for (const size of sizes) {
        client.send(pattern(size));
        await once(client, 'message');
      }
      client.close();
    }
  ],
  [
    'compressed and plain fragments',
    compression(),
    async (client, server) => {
      server.on('message', (data) => server.send(data));
      client.send('compressed ', { fin: false });
      client.send('fragments', { fin: true });
      await once(client, 'message');
      client.send('plain ', { fin: false, compress: false });
      client.send('fragments', { fin: true });
      await once(client, 'message');
      client.close();
    }
  ],
  [
    'a compressed message that inflates beyond the limit',
    {
      ...compression(),
      server: { perMessageDeflate: true, maxPayload: 1000 }
    },
    (client) => client.send(pattern(100000))
  ]
];

/** `[what, setup]` */
const refusals = [
  ['verifyClient', { server: { verifyClient: () => false } }],
  [
    'verifyClient with a status of its own',
    { server: { verifyClient: (info, done) => done(false, 429, 'slow') } }
  ],
  ['the path', { server: { path: '/chat' }, path: 'other' }],
  [
    'the subprotocol',
    { server: { handleProtocols: () => false }, protocols: ['a'] }
  ],
  [
    'the window of the compression',
    {
      server: { perMessageDeflate: { clientMaxWindowBits: 9 } },
      client: { perMessageDeflate: { clientMaxWindowBits: 8 } }
    }
  ]
];

const [oracle, ...others] = pairs;

describeEach(others, 'as between ws and ws:', (pair) => {
  test.each(scenarios)('%s', async (_, setup, play) => {
    const expected = await converse(oracle, setup, play);

    expect(await converse(pair, setup, play)).toEqual(expected);
  });

  test.each(refusals)('a refusal because of %s', async (_, setup) => {
    const expected = await refuse(oracle, setup);

    expect(await refuse(pair, setup)).toEqual(expected);
  });
});
