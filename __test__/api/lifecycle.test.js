'use strict';

const { once } = require('events');

const { dial, listen } = require('../support/connection');
const {
  describeEach,
  pairs,
  routedPairs
} = require('../support/implementations');
const { acceptOf, parseFrames, parseHead } = require('../support/wire');
const { headerOf } = require('../support/raw');
const { tap } = require('../support/tap');
const { trace } = require('../support/trace');

/** Says hello, answers each line of the other, closes after the last. */
function converse(client, server) {
  const answers = {
    Hello: [server, 'Welcome'],
    Welcome: [client, 'How are you?'],
    'How are you?': [server, 'Good, thanks!']
  };
  const answer = (data) => {
    const next = answers[data];

    if (next) next[0].send(next[1]);
    else client.close(1000, 'Bye');
  };

  server.on('message', answer);
  client.on('message', answer);
}

async function play(pair) {
  const { wss, url } = await listen(pair);
  const states = [];
  const client = dial(pair, url);
  const clientTrace = trace(client);
  let serverTrace;

  states.push(['constructed', client.readyState]);
  client.on('upgrade', () => states.push(['upgrade', client.readyState]));
  client.on('open', () => client.send('Hello'));

  const serverClosed = new Promise((resolve) => {
    wss.on('connection', (server) => {
      states.push(['connection', server.readyState]);
      serverTrace = trace(server);
      converse(client, server);
      server.on('close', resolve);
    });
  });

  await Promise.all([serverClosed, once(client, 'close')]);
  return { states, clientTrace, serverTrace };
}

describeEach(routedPairs, 'a conversation', (pair) => {
  test('goes through every state in order on both sides', async () => {
    const { states, clientTrace, serverTrace } = await play(pair);
    const message = (data) => ({
      event: 'message',
      readyState: 1,
      isBinary: false,
      data: `Buffer(${data.length}) ${data}`
    });
    const close = {
      event: 'close',
      readyState: 3,
      code: 1000,
      reason: 'Buffer(3) Bye'
    };

    expect(states).toEqual([
      ['constructed', 0],
      ['connection', 1],
      ['upgrade', 0]
    ]);
    expect(clientTrace).toEqual([
      { event: 'upgrade', readyState: 0, statusCode: 101 },
      {
        event: 'open',
        readyState: 1,
        protocol: '',
        extensions: '',
        bufferedAmount: 0
      },
      message('Welcome'),
      message('Good, thanks!'),
      close
    ]);
    expect(serverTrace).toEqual([
      message('Hello'),
      message('How are you?'),
      close
    ]);
  });
});

describeEach(pairs, 'the bytes of a conversation', (pair) => {
  test('are an upgrade, masked and plain frames, two closes', async () => {
    const { wss, port } = await listen(pair);
    const wire = await tap(port);
    const client = dial(pair, `ws://127.0.0.1:${wire.port}/chat?room=1`);

    client.on('open', () => client.send('Hello'));
    wss.on('connection', (server) => converse(client, server));
    await Promise.all([once(client, 'close'), wire.finished]);

    const request = parseHead(wire.requests());
    const response = parseHead(wire.answers());
    const key = headerOf(request.value, 'Sec-WebSocket-Key');

    expect(request.value).toBe(
      [
        'GET /chat?room=1 HTTP/1.1',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${key}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Extensions: ' +
          'permessage-deflate; client_max_window_bits',
        `Host: 127.0.0.1:${wire.port}`,
        '\r\n'
      ].join('\r\n')
    );
    expect(Buffer.from(key, 'base64')).toHaveLength(16);
    expect(response.value).toBe(
      [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${acceptOf(key)}`,
        '\r\n'
      ].join('\r\n')
    );

    const sent = parseFrames(wire.requests().subarray(request.size));
    const received = parseFrames(wire.answers().subarray(response.size));
    const summary = ({ fin, rsv, opcode, payload }) => [
      fin,
      rsv,
      opcode,
      payload.toString('latin1')
    ];

    expect(sent.map(summary)).toEqual([
      [true, 0, 1, 'Hello'],
      [true, 0, 1, 'How are you?'],
      [true, 0, 8, '\x03\xe8Bye']
    ]);
    expect(received.map(summary)).toEqual([
      [true, 0, 1, 'Welcome'],
      [true, 0, 1, 'Good, thanks!'],
      [true, 0, 8, '\x03\xe8Bye']
    ]);
    expect(sent.map(({ key }) => key && key.length)).toEqual([4, 4, 4]);
    expect(received.map(({ key }) => key)).toEqual([null, null, null]);
    expect(wire.order.sort()).toEqual(['client', 'server']);
  });

  test('carry a new key and new masks on each connection', async () => {
    const { wss, port } = await listen(pair);
    const heads = [];
    const masks = [];

    wss.on('connection', (server) => server.on('message', () => {}));
    for (let index = 0; index < 2; index++) {
      const wire = await tap(port);
      const client = dial(pair, `ws://127.0.0.1:${wire.port}/`);

      client.on('open', () => {
        client.send('same');
        client.send('same');
        client.close();
      });
      await once(client, 'close');

      const request = parseHead(wire.requests());

      heads.push(headerOf(request.value, 'Sec-WebSocket-Key'));
      masks.push(
        ...parseFrames(wire.requests().subarray(request.size)).map(({ key }) =>
          key.toString('hex')
        )
      );
    }
    expect(heads[0]).not.toBe(heads[1]);
    expect(new Set(masks).size).toBe(6);
  });
});
