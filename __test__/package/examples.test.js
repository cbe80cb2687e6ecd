'use strict';

const { once } = require('events');

const { WebSocket } = require('../..');
const { Program } = require('../support/program');
const { trackWebSocket } = require('../support/resources');

/** Has `require()` find no package but oxws. */
const WITHOUT_PACKAGES = require.resolve('../support/without-packages');

const wsOf = (url) => url.replace(/^http/, 'ws');

/** An open client, and the texts it gets, one by one. */
async function connect(url, options) {
  const ws = trackWebSocket(new WebSocket(url, options));
  const texts = [];
  const readers = [];

  ws.on('message', (data) => {
    if (readers.length > 0) readers.shift()(String(data));
    else texts.push(String(data));
  });
  await once(ws, 'open');
  return {
    ws,
    next: () =>
      texts.length > 0
        ? Promise.resolve(texts.shift())
        : new Promise((resolve) => readers.push(resolve))
  };
}

/** The status of an upgrade that is refused. */
async function refusal(url, options) {
  const ws = new WebSocket(url, options);
  const [request, response] = await once(ws, 'unexpected-response');

  request.destroy();
  ws.on('error', () => {});
  return response.statusCode;
}

test('echo: what is typed comes back', async () => {
  const server = new Program('examples/echo-server.js');
  const url = await server.url();
  const client = new Program('examples/echo-client.js', { args: [url] });

  await client.line(/^Connected to ws:/);
  client.child.stdin.write('Hello\n');
  await client.line(/^Hello$/);
  client.child.stdin.end('Good bye\n');
  await client.line(/^Good bye$/);
  await client.line(/^Closed with 1000$/);
  expect(await client.ended).toEqual({ code: 0, signal: null, stderr: '' });
  await server.line(/ left with 1000$/);
});

test('echo: the client says that nobody listens', async () => {
  const client = new Program('examples/echo-client.js', {
    args: ['ws://127.0.0.1:1']
  });

  expect(await client.ended).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ECONNREFUSED')
  });
});

test('express: the session of the page is that of the WebSocket', async () => {
  const url = await new Program('examples/express.js').url();
  const response = await fetch(url, { headers: { Connection: 'close' } });
  const [cookie] = response.headers.getSetCookie();
  const headers = { cookie: cookie.split(';')[0] };

  expect(await response.text()).toContain('new WebSocket(');

  const { next } = await connect(wsOf(url), { headers });

  expect(await next()).toBe('Welcome, guest 1');
  expect(await refusal(wsOf(url))).toBe(401);
});

test('fastify: the hooks of a route hold for its WebSockets', async () => {
  const url = await new Program('examples/fastify.js').url();
  const { ws, next } = await connect(`${wsOf(url)}/rooms/attic?token=1`);

  ws.send('Hello');
  expect(await next()).toBe('attic: Hello');
  expect(await refusal(`${wsOf(url)}/rooms/attic`)).toBe(401);
  expect(await refusal(`${wsOf(url)}/nowhere?token=1`)).toBe(404);
});

test('tls: the client trusts the certificate', async () => {
  const server = new Program('examples/tls/server.js');
  const url = await server.url();
  const client = new Program('examples/tls/client.js', { args: [url] });

  await client.line(/^Hello over TLS$/);
  expect(await client.ended).toEqual({ code: 0, signal: null, stderr: '' });
  await server.line(/^Connected by TLSv1\.3$/);
});

test('heartbeat: who does not answer is cut off', async () => {
  const server = new Program('examples/heartbeat.js', {
    env: { INTERVAL: '500' }
  });
  const url = await server.url();
  const alive = await connect(url);
  const dead = await connect(url, { autoPong: false });

  expect((await once(dead.ws, 'close'))[0]).toBe(1006);
  await server.line(/^A dead peer is gone$/);
  await once(alive.ws, 'ping');
  alive.ws.close();
  await server.line(/^A peer has left$/);
});

test('statistics: counts what it echoes', async () => {
  const url = await new Program('examples/statistics/server.js', {
    env: { INTERVAL: '20' }
  }).url();
  const echo = await connect(`${wsOf(url)}/echo`);
  const watcher = await connect(`${wsOf(url)}/statistics`);

  echo.ws.send('Hello');
  expect(await echo.next()).toBe('Hello');

  let figures;

  do figures = JSON.parse(await watcher.next());
  while (figures.totals.sent === 0);
  expect(figures).toMatchObject({
    connections: 1,
    waiting: 0,
    totals: { opened: 1, closed: {}, received: 1, sent: 1 }
  });
  expect(figures.memory).toBeGreaterThan(0);

  const request = { headers: { Connection: 'close' } };

  expect(await (await fetch(url, request)).text()).toContain('<main>');
  expect(
    await (await fetch(`${url}/statistics.json`, request)).json()
  ).toMatchObject({ connections: 1 });
  expect(await refusal(`${wsOf(url)}/nowhere`)).toBe(404);
});

test('market: sends the prices that are asked for', async () => {
  const url = await new Program('examples/market/server.js', {
    env: { SYMBOLS: '30' }
  }).url();
  const { ws, next } = await connect(`${wsOf(url)}/feed`);
  const { symbols } = JSON.parse(await next());

  expect(symbols.slice(0, 2)).toEqual(['AAA', 'AAB']);
  ws.send(JSON.stringify(['AAB', 'nothing']));
  for (let count = 0; count < 20; count++) {
    const { symbol, price, rates } = JSON.parse(await next());

    if (rates !== undefined) continue;

    expect(symbol).toBe('AAB');
    expect(price).toBeGreaterThan(0);
  }
  ws.send('no JSON');
  expect((await once(ws, 'close'))[0]).toBe(1008);

  const request = { headers: { Connection: 'close' } };

  expect(await (await fetch(url, request)).text()).toContain('<main>');
});

test('cluster: clients of different workers hear each other', async () => {
  const url = await new Program('examples/cluster.js', {
    env: { WORKERS: '2' }
  }).url();
  const clients = await Promise.all([1, 2, 3, 4].map(() => connect(url)));
  const greetings = await Promise.all(clients.map(({ next }) => next()));

  expect(new Set(greetings)).toEqual(
    new Set(['You talk to worker 1', 'You talk to worker 2'])
  );
  clients[0].ws.send('Hello');
  for (const { next } of clients) {
    expect(await next()).toBe(
      greetings[0].replace('You talk to ', '') + ': Hello'
    );
  }
});

/** What a program says of a span. */
const SPAN = /^(\w+(?: \w+)?) trace=(\w+) span=(\w+) parent=(\w+) /;

async function spanOf(program) {
  const [, name, trace, span, parent] = await program.line(SPAN);

  return { name, trace, span, parent };
}

test('tracing: a question and its answer are of one trace', async () => {
  const server = new Program('examples/tracing/server.js');
  const url = await server.url();
  const client = new Program('examples/tracing/client.js', { args: [url] });
  const asked = await spanOf(client);
  const question = { name: 'question', parent: 'none', trace: asked.trace };
  const received = await spanOf(server);
  const lookedUp = await spanOf(server);
  const answered = await spanOf(server);
  const answer = await spanOf(client);
  const all = await spanOf(client);

  expect(all).toMatchObject(question);
  expect([asked, received, lookedUp, answered, answer]).toEqual([
    expect.objectContaining({ name: 'send', parent: all.span }),
    expect.objectContaining({ name: 'receive', parent: all.span }),
    expect.objectContaining({ name: 'look up', parent: received.span }),
    expect.objectContaining({ name: 'send', parent: received.span }),
    expect.objectContaining({ name: 'receive', parent: received.span })
  ]);
  for (const { trace } of [received, lookedUp, answered, answer]) {
    expect(trace).toBe(all.trace);
  }
  await client.line(/^The answer is 42$/);
  expect(await client.ended).toEqual({ code: 0, signal: null, stderr: '' });
});

test('metrics: tells Prometheus what happened', async () => {
  const url = await new Program('examples/metrics.js').url();
  const { ws, next } = await connect(`${wsOf(url)}/echo`);

  ws.send('Hello');
  expect(await next()).toBe('Hello');

  const request = { headers: { Connection: 'close' } };
  const lines = await (await fetch(`${url}/metrics`, request)).text();

  expect(lines.split('\n')).toEqual(
    expect.arrayContaining([
      'websocket_connections 1',
      'websocket_paused 0',
      'websocket_buffered_bytes 0',
      '# TYPE websocket_received_bytes_total counter',
      'websocket_accepted_total 1',
      'websocket_messages_received_total 1',
      'websocket_messages_sent_total 1'
    ])
  );
  expect(lines).toMatch(/^websocket_sent_bytes_total [1-9]\d*$/m);
  // Nothing has gone, and nobody was refused.
  expect(lines).not.toMatch(/^websocket_(closed|refused)_total/m);
  expect(lines).toMatch(/^process_resident_memory_bytes \d+$/m);

  ws.close(4000);
  await once(ws, 'close');
  await once(trackWebSocket(new WebSocket(`${wsOf(url)}/elsewhere`)), 'error');
  expect(
    (await (await fetch(`${url}/metrics`, request)).text()).split('\n')
  ).toEqual(
    expect.arrayContaining([
      'websocket_connections 0',
      'websocket_closed_total{code="4000"} 1',
      'websocket_refused_total{status="400"} 1'
    ])
  );
  expect((await fetch(url, request)).status).toBe(404);
});

test.each([
  ['tracing/server.js', '@opentelemetry/api'],
  ['tracing/client.js', '@opentelemetry/api'],
  ['metrics.js', 'prom-client']
])('%s says that it needs %s', async (name, missing) => {
  const program = new Program(`examples/${name}`, {
    env: { NODE_OPTIONS: `--require ${JSON.stringify(WITHOUT_PACKAGES)}` }
  });

  expect(await program.ended).toEqual({
    code: 1,
    signal: null,
    stderr: `This example needs ${missing}: npm install ${missing}\n`
  });
});
