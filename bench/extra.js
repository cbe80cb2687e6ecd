'use strict';

/**
 * What no scenario of `run.js` has of `oxws/extra`: `node bench/extra.js`, or
 * with the names of rows. Each line comes from a server process of its own.
 */
const path = require('path');

const { withChild } = require('./child');

const KIB = 1024;
const MIB = 1024 * KIB;

const root = path.join(__dirname, '..');
const oxws = { module: root, extra: path.join(root, 'lib', 'extra') };
const ws = { module: require.resolve('ws') };
const slow = { maxBuffered: 64 * MIB };

const whole = (value) => value.toFixed(0);
const tenths = (value) => value.toFixed(1);

/**
 * By name, what is done, by whom, and what is told of it.
 *
 * @type {Object<string, { title: string, settings: Object, peers: Object[],
 *     tell: (result: Object) => string }>}
 */
const rows = {
  stalled: {
    title: '1 MiB 16 times to 500, nobody or 50 of them stalled',
    settings: { work: 'memory', clients: 500, messages: 16, size: MIB, slow },
    peers: [0, 50].flatMap((stalled) => [
      { ...oxws, way: 'broadcast', stalled },
      { ...oxws, way: 'topics', stalled }
    ]),
    tell: ({ before, most }) =>
      `${whole(before)} MiB before, at most ${whole(most)} more`
  },
  storm: {
    title: '150 messages a second to 750',
    settings: {
      work: 'storm',
      clients: 750,
      messages: 150,
      seconds: 20,
      size: 128
    },
    peers: [
      { ...ws, way: 'loop' },
      { ...oxws, way: 'loop' },
      { ...oxws, way: 'broadcast' },
      { ...oxws, way: 'topics' }
    ],
    tell: ({ p50, p99, max, main, all }) =>
      `event loop late by ${tenths(p50)} ms (p50), ${tenths(p99)} (p99), ` +
      `${tenths(max)} (most); ${whole(100 * all)} % of a core, the JS thread ` +
      whole(100 * main)
  },
  churn: {
    title: '10 000 topics of 10, 50 000 subscriptions a second changed',
    settings: {
      work: 'churn',
      clients: 1000,
      topics: 10_000,
      members: 10,
      seconds: 20,
      changes: 50_000
    },
    peers: [{ ...oxws, way: 'topics' }],
    tell: ({ bytes, change, grown }) =>
      `${whole(bytes)} bytes a subscription, ${change.toFixed(2)} µs a change, ` +
      `${tenths(grown)} MiB more at the end`
  },
  flow: {
    title: '1 GiB in pieces of 64 KiB to one reader, fast or slow',
    settings: { work: 'flow', clients: 1, total: 1024 * MIB, size: 64 * KIB },
    peers: [undefined, 100 * MIB].flatMap((pace) => [
      { ...oxws, way: 'callback', pace },
      { ...oxws, way: 'sendAsync', pace }
    ]),
    tell: ({ grown, rate }) =>
      `${whole(rate)} MiB/s, at most ${tenths(grown)} MiB more`
  },
  idle: {
    title: '10 000 idle connections, looked after every second',
    settings: { work: 'idle', clients: 10_000, seconds: 10, interval: 1000 },
    peers: [
      { ...oxws, way: 'nothing' },
      { ...oxws, way: 'keepAlive' }
    ],
    tell: ({ p99, max, main, bytes, left }) =>
      `event loop late by ${tenths(p99)} ms (p99), ${tenths(max)} (most); ` +
      `${tenths(100 * main)} % of a core, ${tenths(bytes)} bytes of heap a ` +
      `connection, ${left} left`
  }
};

/** Runs one line of a row. */
function measure(settings) {
  const server = {
    file: process.execPath,
    args: [
      '--expose-gc',
      path.join(__dirname, 'servers', 'extra.js'),
      JSON.stringify(settings)
    ]
  };

  return withChild(server, async (child) => {
    const { clients: connections, deflate, pace, stalled } = settings;
    const port = Number(await child.line());
    const readers = {
      file: process.execPath,
      args: [
        path.join(__dirname, 'clients', 'readers.js'),
        JSON.stringify({ port, connections, deflate, pace, stalled })
      ]
    };

    return withChild(readers, async () => {
      return JSON.parse(await child.line());
    });
  });
}

function nameOf({ module, way, pace, stalled }) {
  return [
    module === root ? 'oxws' : 'ws',
    way,
    pace && `${pace / MIB} MiB/s`,
    stalled && `${stalled} stalled`
  ]
    .filter(Boolean)
    .join(', ');
}

async function main(names) {
  for (const name of names.length > 0 ? names : Object.keys(rows)) {
    const { title, settings, peers, tell } = rows[name];

    console.log(title);
    for (const peer of peers) {
      const result = await measure({ ...settings, ...peer });

      console.log(`  ${nameOf(peer)}: ${tell(result)}`);
    }
  }
  process.exit();
}

main(process.argv.slice(2)).catch((err) => {
  console.error(err.message);
  process.exit(1);
});
