'use strict';

const assert = require('assert');
const { once } = require('events');
const { Duplex } = require('stream');
const { setTimeout: sleep } = require('timers/promises');

const { Ape, CODE, numbered } = require('./ape');
const { routes } = require('../support/routes');
const {
  KEY,
  closePayload,
  frame,
  switchingProtocols,
  upgradeRequest
} = require('../support/wire');

/** Of both ends. */
const CLOSE_TIMEOUT = 150;

/** A machine with other work may be this late. */
const PATIENCE = 30000;

/** What a raw peer does in the end; it may have stopped reading before. */
const RAW_ENDS = {
  fin: (socket) => socket.end(),
  destroy: (socket) => socket.destroy(),
  reset: (socket) =>
    socket.encrypted ? socket.destroy() : socket.resetAndDestroy(),
  close: (socket, mask) => {
    const payload = closePayload(CODE);

    socket.write(frame({ opcode: 8, payload, key: mask }));
    socket.end();
  },
  violation: (socket) => {
    socket.write(Buffer.alloc(100, 0xff));
    socket.end();
  },
  half: (socket, mask) => {
    const payload = numbered(0, 100);

    socket.write(frame({ opcode: 2, payload, key: mask }).subarray(0, 50));
    socket.end();
  }
};

/** Random misuse of connections: each must come to its end all the same. */
class Monkey {
  messages = 0;
  bytes = 0;
  #oxws;
  #random;
  #server;
  #history = [];
  #undo = [];

  constructor(oxws, random, server) {
    this.#oxws = oxws;
    this.#random = random;
    this.#server = server;
  }

  async run() {
    const kind = this.#random.pick(['both', 'rawClient', 'rawServer']);

    this.#note(`${kind}, ${this.#server.route}`);

    const timer = setTimeout(() => this.#note('TOO LATE'), PATIENCE);

    try {
      await this[kind]();
    } catch (err) {
      err.stack += `\n${this.#history.join('\n')}`;
      throw err;
    } finally {
      clearTimeout(timer);
      for (const undo of this.#undo) undo();
    }
  }

  #note = (what) => this.#history.push(what);

  get #options() {
    const random = this.#random;
    const { route } = this.#server;
    const own = route === 'TLS' ? route : random.pick(['native', 'adopted']);

    return {
      ...routes[own].clientOptions(),
      perMessageDeflate: random.oneIn(3),
      allowSynchronousEvents: !random.oneIn(4),
      closeTimeout: CLOSE_TIMEOUT
    };
  }

  #ape(websocket, name) {
    return new Ape(this.#random, websocket, name, this.#note);
  }

  async both() {
    const random = this.#random;
    const { url, wss } = this.#server;
    const client = new this.#oxws.WebSocket(
      `${url}?${this.#token()}`,
      this.#options
    );
    const apes = [this.#ape(client, 'client')];
    const server = this.#accepted();

    if (random.oneIn(20)) {
      this.#note('client gives up');
      client.terminate();
      await this.#ends(apes);
      return;
    }
    await once(client, 'open');
    apes.push(this.#ape(await server, 'server'));
    assert(wss.clients.size > 0);
    await this.#play(apes);

    const [ender, other] = random.oneIn(2) ? apes : [apes[1], apes[0]];

    ender.finish();
    if (random.oneIn(2)) await sleep(random.below(20));
    other.letGo();
    await this.#ends(apes);
    if (!ender.isRude && !other.isRude && other.code === CODE) {
      assert.strictEqual(other.received, ender.sent, 'messages are missing');
    }
  }

  async rawClient() {
    const random = this.#random;
    const { route, port } = this.#server;
    const socket = routes[route].connect(port);
    const server = this.#accepted();

    this.#undo.push(() => socket.destroy());
    socket.on('error', () => {});
    await once(socket, route === 'TLS' ? 'secureConnect' : 'connect');
    socket.write(upgradeRequest({ path: `/?${this.#token()}` }));

    const ape = this.#ape(await server, 'server');

    if (random.oneIn(3)) socket.resume();
    await this.#play([ape]);
    this.#endRaw(socket, KEY);
    if (random.oneIn(2)) await sleep(random.below(20));
    await this.#meetRawEnd(ape);
  }

  async rawServer() {
    const random = this.#random;
    const { route } = this.#server;
    const server = routes[route].listen((socket) => {
      this.#undo.push(() => socket.destroy());
      socket.on('error', () => {});
      socket.once('data', (head) => {
        socket.write(switchingProtocols(String(head)));
        if (random.oneIn(3)) socket.resume();
        else socket.pause();
        server.emit('peer', socket);
      });
    });

    this.#undo.push(() => server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    const { port } = server.address();
    const peer = once(server, 'peer');
    const client = new this.#oxws.WebSocket(
      `${routes[route].scheme}://127.0.0.1:${port}`,
      { ...this.#options }
    );
    const ape = this.#ape(client, 'client');
    const [[socket]] = await Promise.all([peer, once(client, 'open')]);

    await this.#play([ape]);
    this.#endRaw(socket, undefined);
    if (random.oneIn(2)) await sleep(random.below(20));
    await this.#meetRawEnd(ape);
  }

  #endRaw(socket, key) {
    const end = this.#random.pick(Object.keys(RAW_ENDS));

    this.#note(`raw ${end}`);
    RAW_ENDS[end](socket, key);
  }

  /** A peer that has ended, and may not read. */
  async #meetRawEnd(ape) {
    // What is still to be written to it holds the connection open.
    if (this.#random.oneIn(2)) ape.finish();
    else {
      ape.letGo();
      await Promise.race([ape.closed, sleep(20)]);
      if (ape.closes === 0) {
        this.#note('close behind the end');
        ape.websocket.close();
      }
    }
    await this.#ends([ape]);
  }

  async #play(apes) {
    const random = this.#random;

    for (let step = random.below(16); step > 0; step--) {
      random.pick(apes).act();
      if (random.oneIn(3)) await sleep(random.below(4));
    }
  }

  /** Each is told of its end, in time, and once. */
  async #ends(apes) {
    const late = new AbortController();
    const closed = Promise.all(apes.map((ape) => ape.closed)).then(() => true);
    const isClosed = await Promise.race([
      closed,
      sleep(PATIENCE, false, { signal: late.signal }).catch(() => false)
    ]);

    late.abort();
    assert(isClosed, 'a connection outlives its peer');
    await sleep(1);
    for (const ape of apes) {
      assert.strictEqual(ape.closes, 1, 'closes');
      assert.strictEqual(ape.websocket.readyState, 3);
      this.messages += ape.received;
    }
  }

  /** Names the next connection. */
  #token() {
    return (this.token ??= `monkey-${Monkey.count++}`);
  }

  /** The server's WebSocket of it. */
  #accepted() {
    const { wss } = this.#server;
    const token = this.#token();

    return new Promise((resolve) => {
      const onConnection = (websocket, { url }) => {
        if (!url.endsWith(token)) return;

        wss.off('connection', onConnection);
        resolve(websocket);
      };

      wss.on('connection', onConnection);
      this.#undo.push(() => wss.off('connection', onConnection));
    });
  }

  static count = 0;
}

/** Servers on each route that do nothing by themselves. */
async function serveMonkeys({ WebSocketServer }) {
  const servers = [];

  for (const route of [...Object.keys(routes), 'duplex']) {
    for (const perMessageDeflate of [false, { threshold: 1000 }]) {
      servers.push(await serve(WebSocketServer, route, perMessageDeflate));
    }
  }
  return servers;
}

async function serve(WebSocketServer, name, perMessageDeflate) {
  const route = name === 'duplex' ? 'adopted' : name;
  const { createServer, scheme } = routes[route];
  const server = createServer();
  const wss = new WebSocketServer({
    ...(server === null
      ? { port: 0, host: '127.0.0.1' }
      : name === 'duplex'
        ? { noServer: true }
        : { server }),
    closeTimeout: CLOSE_TIMEOUT,
    perMessageDeflate
  });

  wss.setMaxListeners(0);
  if (name === 'duplex') {
    server.on('upgrade', (request, socket, head) => {
      wss.handleUpgrade(request, wrap(socket), head, (websocket) => {
        wss.emit('connection', websocket, request);
      });
    });
  }
  if (server !== null) server.listen(0, '127.0.0.1');
  await once(server ?? wss, 'listening');

  const { port } = (server ?? wss).address();

  return {
    route,
    port,
    url: `${scheme}://127.0.0.1:${port}/`,
    wss,
    async close() {
      await new Promise((resolve) => wss.close(resolve));
      if (server) await new Promise((resolve) => server.close(resolve));
    }
  };
}

/** A stream over a socket that does not show it. */
function wrap(socket) {
  const duplex = new Duplex({
    read: () => socket.resume(),
    write: (chunk, _, callback) => socket.write(chunk, callback),
    final: (callback) => socket.end(callback),
    destroy(err, callback) {
      socket.destroy();
      callback(err);
    }
  });

  socket.on('data', (chunk) => {
    if (!duplex.push(chunk)) socket.pause();
  });
  socket.on('end', () => duplex.push(null));
  socket.on('error', (err) => duplex.destroy(err));
  socket.on('close', () => duplex.destroy());
  return duplex;
}

module.exports = { Monkey, serveMonkeys };
