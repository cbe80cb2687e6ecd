'use strict';

/**
 * Clients of which the first one speaks, and all hear it. The settings are one
 * argument of JSON. It has `window` messages under way: the next one leaves when
 * all have the first. Every message is checked. Prints the rate and percentiles.
 */
const { performance } = require('perf_hooks');

const { WebSocket } = require('../..');

const { count, ports, seconds, size, socketIo, warmup, window } = JSON.parse(
  process.argv[2]
);

/** What Socket.IO puts around a text. */
const [BEFORE, BEHIND] = socketIo ? ['42["m","', '"]'] : ['', ''];
const PATH = socketIo ? '/socket.io/?EIO=4&transport=websocket' : '/';

/** When messages left, those that not all have, the oldest first. */
const sent = [];
const missing = [];
/** How many messages all have. */
let done = 0;
let number = 0;
let latencies = [];
let isMeasuring = false;

function connect(index) {
  const ws = new WebSocket(
    `ws://127.0.0.1:${ports[index % ports.length]}${PATH}`,
    {
      perMessageDeflate: false
    }
  );
  let heard = 0;

  return new Promise((resolve, reject) => {
    ws.on('error', reject);
    if (!socketIo) ws.on('open', () => resolve(ws));
    ws.on('message', (data) => {
      if (socketIo && data[1] !== 0x32) {
        // The session is open, then the namespace.
        if (data[0] === 0x30) ws.send('40');
        else resolve(ws);
        return;
      }

      if (
        Number(data.latin1Slice(BEFORE.length, BEFORE.length + 10)) !== heard
      ) {
        throw new Error(`Not message ${heard}: ${data}`);
      }

      const place = heard++ - done;

      if (isMeasuring) latencies.push(performance.now() - sent[place]);
      if (--missing[place] === 0) next();
    });
  });
}

let speaker;

function next() {
  while (missing[0] === 0) {
    missing.shift();
    sent.shift();
    done++;
  }
  while (missing.length < window) {
    const text = String(number++).padStart(10, '0').padEnd(size, 'x');

    missing.push(count);
    sent.push(performance.now());
    speaker.send(BEFORE + text + BEHIND);
  }
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const percentile = (share) => latencies[Math.floor(latencies.length * share)];

async function main() {
  for (let index = 0; index < count; index++) {
    const ws = await connect(index);

    if (index === 0) speaker = ws;
  }
  // Whoever subscribes at a broker has by then.
  await wait(500);
  next();
  await wait(1000 * warmup);
  isMeasuring = true;
  console.log('begin');

  const start = performance.now();

  await wait(1000 * seconds);

  const elapsed = performance.now() - start;

  isMeasuring = false;
  latencies = Float64Array.from(latencies).sort();
  console.log(
    JSON.stringify({
      rate: (1000 * latencies.length) / elapsed,
      count: latencies.length,
      p50: percentile(0.5),
      p99: percentile(0.99)
    })
  );
}

main();
