'use strict';

/**
 * Clients of ws, or of a package with its API, that keep messages under way to
 * an echo server. The settings are one argument of JSON; prints one line of
 * JSON, as the load generator does.
 */
const crypto = require('crypto');

const { resident, usage } = require('../usage');

const settings = JSON.parse(process.argv[2]);
const { WebSocket } = require(settings.module);

/** The last of this many latencies are kept, in milliseconds. */
const latencies = new Float64Array(1 << 22);

let count = 0;
let begin = null;
let warmUntil = Infinity;
let end = Infinity;

open();

function open() {
  let connecting = settings.connections;
  const { port, tls } = settings;
  const url = `${tls ? 'wss' : 'ws'}://127.0.0.1:${port}`;
  const sockets = Array.from({ length: connecting }, () => {
    const ws = new WebSocket(url, { rejectUnauthorized: false });

    ws.on('open', () => {
      if (--connecting === 0) start(sockets);
    });
    ws.on('close', () => fail('a connection was closed'));

    return ws;
  });
}

function start(sockets) {
  warmUntil = performance.now() + settings.warmup * 1000;
  end = warmUntil + settings.seconds * 1000;
  for (const ws of sockets) exchange(ws);
}

function exchange(ws) {
  const { size, window } = settings;
  // One more than are under way: an echo that comes twice is a wrong one.
  const messages = Array.from({ length: window + 1 }, () =>
    crypto.randomBytes(size)
  );
  const times = new Float64Array(window).fill(performance.now());
  let oldest = 0;
  let sent = 0;
  let received = 0;

  ws.on('message', (data) => {
    if (!data.equals(messages[received])) fail('the echo is wrong');

    received = (received + 1) % messages.length;

    const now = performance.now();

    latencies[count++ % latencies.length] = now - times[oldest];
    times[oldest] = now;
    oldest = (oldest + 1) % window;
    send();

    if (now >= warmUntil) measure(now);
  });

  for (let i = 0; i < window; i++) send();

  function send() {
    ws.send(messages[sent]);
    sent = (sent + 1) % messages.length;
  }
}

function measure(now) {
  if (begin === null) {
    begin = mark(now);
    count = 0;
  } else if (now >= end) {
    report(begin, mark(now));
    process.exit();
  }
}

function mark(now) {
  return { now, client: usage(process.pid), server: usage(settings.watch) };
}

function report(before, after) {
  const milliseconds = after.now - before.now;
  const sorted = latencies
    .subarray(0, Math.min(count, latencies.length))
    .sort();
  const quantile = (share) =>
    sorted[Math.ceil(share * sorted.length) - 1] * 1000;

  console.log(
    JSON.stringify({
      count,
      seconds: milliseconds / 1000,
      p50: quantile(0.5),
      p99: quantile(0.99),
      p999: quantile(0.999),
      cpu: after.client.all - before.client.all,
      main: after.client.main - before.client.main,
      rss: resident(process.pid),
      load: (after.server.all - before.server.all) / 1000 / milliseconds
    })
  );
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
