'use strict';

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * @typedef {Object} Scenario
 * @property {string} name
 * @property {string} title What it says in the table
 * @property {string} kind `echo`, `broadcast` and `connect` are loaded by the
 *     generator; `client` loads the generator; `memory` counts bytes
 * @property {string} unit What is counted
 * @property {boolean} [isQuick] Part of the default run
 * @property {number} [connections] Of `memory` scenarios, if not as many as
 *     `--connections` says
 * @property {number} [window] Messages under way on each connection
 * @property {number} [size] Bytes of a message
 * @property {string} [content] `binary`, `ascii`, `unicode`, `json`
 * @property {string} [deflate] `takeover`, `none`: whether contexts are kept
 * @property {boolean} [http] On the user's http.Server, not on its own port
 * @property {boolean} [tls] On the user's https.Server, or what a peer has; of
 *     `client` scenarios, to an echo server with TLS
 * @property {string} [via] Of `broadcast` scenarios, what of `oxws/extra` sends:
 *     `broadcast` or `topics`
 * @property {number} [busy] Microseconds of the user's work for each message
 */

const echo = (name, title, settings) => ({
  name,
  title,
  kind: 'echo',
  unit: 'messages',
  content: 'binary',
  ...settings
});

const small = (connections, window, isQuick = false) =>
  echo(`${connections}x${window}`, `echo ${connections} × ${window}, 32 B`, {
    connections,
    window,
    size: 32,
    isQuick
  });

const onHttpServer = (scenario) => ({
  ...scenario,
  name: `${scenario.name}-http`,
  title: `${scenario.title}, user's http.Server`,
  http: true
});

const overTls = (scenario) => ({
  ...scenario,
  name: `${scenario.name}-tls`,
  title: `${scenario.title}, TLS`,
  tls: true
});

const kilobyte = (name, content, title, isQuick = false) =>
  echo(name, `echo 64 × 16, 1 KiB ${title}`, {
    connections: 64,
    window: 16,
    size: KIB,
    content,
    isQuick
  });

const large = (connections, name, title, size, isQuick = false) =>
  echo(`${connections}x${name}`, `echo ${connections} × 1, ${title}`, {
    connections,
    window: 1,
    size,
    isQuick
  });

const takeover = (deflate) =>
  `${deflate === 'none' ? 'no ' : ''}context takeover`;

const compressed = (kibibytes, deflate, isQuick = false) =>
  echo(
    `deflate-${kibibytes}KiB${deflate === 'none' ? '-reset' : ''}`,
    `deflate 16 × 4, ${kibibytes} KiB JSON, ${takeover(deflate)}`,
    {
      connections: 16,
      window: 4,
      size: kibibytes * KIB,
      content: 'json',
      deflate,
      isQuick
    }
  );

const connect = (name, title, settings) => ({
  name,
  title: `connect and close, ${title}`,
  kind: 'connect',
  unit: 'connections',
  connections: 32,
  ...settings
});

const memory = (name, title, settings) => ({
  name,
  title,
  kind: 'memory',
  unit: 'bytes',
  size: 32,
  content: 'binary',
  ...settings
});

const compressedMemory = (name, deflate) =>
  memory(
    name,
    `1000 idle connections, deflate 4 KiB JSON, ${takeover(deflate)}`,
    {
      // Ten times as many of ws would take 2.5 GiB.
      connections: 1000,
      size: 4 * KIB,
      content: 'json',
      deflate
    }
  );

const broadcast = (connections, window, via, isQuick = false) => ({
  name: ['broadcast', connections, window, via].filter(Boolean).join('-'),
  title: `broadcast to ${connections}, 128 B, ${window} under way${via ? `, by ${VIA[via]}` : ''}`,
  kind: 'broadcast',
  unit: 'deliveries',
  connections,
  window,
  size: 128,
  content: 'binary',
  via,
  isQuick
});

const compressedBroadcast = (via) => ({
  ...broadcast(500, 4, via),
  name: `broadcast-500-4-${via}-deflate`,
  title: `broadcast to 500, 4 KiB JSON compressed, 4 under way, by ${VIA[via]}`,
  size: 4 * KIB,
  content: 'json',
  deflate: 'takeover'
});

const VIA = { broadcast: 'broadcast()', topics: 'Topics' };

const client = (connections, window, isQuick = false) => ({
  name: `client-${connections}x${window}`,
  title: `client ${connections} × ${window}, 32 B`,
  kind: 'client',
  unit: 'messages',
  connections,
  window,
  size: 32,
  isQuick
});

/** @type {Scenario[]} */
module.exports = [
  small(1, 1, true),
  small(4, 1),
  small(16, 1),
  small(64, 1, true),
  small(512, 1),
  small(1, 16),
  small(64, 16, true),
  onHttpServer(small(64, 1)),
  onHttpServer(small(64, 16)),
  overTls(small(1, 1)),
  overTls(small(4, 1)),
  overTls(small(64, 1)),
  overTls(small(64, 16)),
  kilobyte('64x16-1KiB', 'binary', 'binary', true),
  kilobyte('64x16-1KiB-ascii', 'ascii', 'ASCII text'),
  kilobyte('64x16-1KiB-unicode', 'unicode', 'non-ASCII text'),
  large(16, '64KiB', '64 KiB', 64 * KIB, true),
  overTls(large(16, '64KiB', '64 KiB', 64 * KIB)),
  large(4, '1MiB', '1 MiB', MIB, true),
  overTls(large(4, '1MiB', '1 MiB', MIB)),
  large(4, '16MiB', '16 MiB', 16 * MIB),
  compressed(4, 'takeover', true),
  compressed(4, 'none'),
  compressed(16, 'takeover'),
  compressed(16, 'none'),
  connect('connect', 'own port', { isQuick: true }),
  connect('connect-http', "user's http.Server", { http: true }),
  connect('connect-tls', 'TLS', { tls: true }),
  { ...broadcast(500, 1, undefined, true), name: 'broadcast' },
  overTls({ ...broadcast(500, 1), name: 'broadcast' }),
  broadcast(500, 16, 'broadcast'),
  overTls(broadcast(500, 16, 'broadcast')),
  broadcast(500, 16, 'topics', true),
  broadcast(10_000, 4, 'broadcast'),
  broadcast(10_000, 4, 'topics'),
  compressedBroadcast('broadcast'),
  compressedBroadcast('topics'),
  client(1, 1),
  client(64, 1, true),
  client(16, 16),
  overTls(client(1, 1)),
  overTls(client(64, 1)),
  overTls(client(16, 16)),
  echo('busy', 'echo 64 × 1, 32 B, 20 µs of JS work each', {
    connections: 64,
    window: 1,
    size: 32,
    busy: 20,
    isQuick: true
  }),
  memory('memory', 'idle connections, own port', { isQuick: true }),
  memory('memory-http', "idle connections, user's http.Server", { http: true }),
  // Ten times as many take long to say hello.
  memory('memory-tls', '1000 idle connections, TLS', {
    connections: 1000,
    tls: true
  }),
  compressedMemory('memory-deflate', 'takeover'),
  compressedMemory('memory-deflate-reset', 'none')
];
