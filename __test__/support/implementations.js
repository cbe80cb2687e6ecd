'use strict';

const ws = require('ws');

const oxws = require('../..');
const { doNotAdopt } = require('./resources');

/** Whether all of this has been tested before, on another driver. */
const isRepeated = process.env.OXWS_TEST_REPEATED === '1';

/**
 * One implementation under test; the other side of the wire is raw. Rows that are
 * `driverless` come to the same whichever driver `OXWS_DRIVER` names.
 */
const implementations = [
  { name: 'ws', lib: ws, driverless: true },
  { name: 'oxws', lib: oxws, driverless: false }
];

/**
 * Who plays the server and who the client, over sockets of their own. The
 * first is the oracle: what it does is what the others have to do.
 */
const pairs = [pair(ws, ws), pair(oxws, ws), pair(ws, oxws), pair(oxws, oxws)];

function pair(server, client, route = 'native') {
  return {
    name: `${nameOf(server)} server, ${nameOf(client)} client, ${route}`,
    WebSocketServer: server.WebSocketServer,
    WebSocket: client.WebSocket,
    driverless: server === ws && client === ws,
    route
  };
}

function nameOf(lib) {
  return lib === ws ? 'ws' : 'oxws';
}

/** The same row where JavaScript carries the bytes, if it is another one. */
function overStream({ name, ...row }) {
  return canAdopt
    ? [
        {
          ...row,
          name: `${name}, not adopted`,
          driverless: true,
          isAdopted: false
        }
      ]
    : [];
}

/** Whether oxws takes over sockets that Node upgraded. */
const canAdopt = process.env.OXWS_ADOPT !== '0' && process.platform !== 'win32';

/** The pairs, and each implementation with itself over the other routes. */
const routedPairs = [
  ...pairs,
  ...implementations.flatMap(({ lib }) => [
    pair(lib, lib, 'adopted'),
    pair(lib, lib, 'TLS')
  ]),
  ...overStream(pair(oxws, oxws, 'adopted')),
  ...overStream(pair(oxws, oxws, 'TLS'))
];

/** Each implementation over each route. */
const routedImplementations = [
  ...implementations.flatMap(({ name, ...row }) =>
    ['native', 'adopted', 'TLS'].map((route) => ({
      name: `${name}, ${route}`,
      ...row,
      route
    }))
  ),
  ...overStream({ name: 'oxws, adopted', lib: oxws, route: 'adopted' }),
  ...overStream({ name: 'oxws, TLS', lib: oxws, route: 'TLS' })
];

/**
 * Runs `body(row)` as one describe block a row. Where tests run again, on another
 * driver, rows without one are skipped.
 */
function describeEach(rows, title, body) {
  for (const row of rows) {
    const run = isRepeated && row.driverless ? describe.skip : describe;

    run(`${title} (${row.name})`, () => {
      if (row.isAdopted === false) beforeEach(doNotAdopt);
      body(row);
    });
  }
}

/**
 * Whether the event loop reads and writes. The I/O thread, which macOS and Windows
 * always have, may find a client closed while a listener still runs, and before any
 * write has failed.
 */
function isReadHere({ driverless }) {
  return (
    driverless ||
    (process.platform === 'linux' &&
      !['thread', 'alternate'].includes(process.env.OXWS_DRIVER))
  );
}

module.exports = {
  canAdopt,
  describeEach,
  implementations,
  isReadHere,
  oxws,
  pairs,
  routedImplementations,
  routedPairs,
  ws
};
