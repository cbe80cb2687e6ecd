'use strict';

const { AsyncLocalStorage, AsyncResource } = require('async_hooks');
const cluster = /** @type {any} */ (require('cluster'));
const dns = require('dns');
const EventEmitter = require('events');
const http = require('http');
const net = require('net');

const native = require('./native');
const { bridge, kinds, targets } = require('./bridge');
const { UpgradeRequest } = require('./head');
const NativeLink = require('./native-link');
const { isServerOriginal } = require('./node-originals');
const { kUpgrade } = require('./symbols');
const { createSystemError } = require('./system-errors');
const timers = require('./timers');
const { LinkTransport } = require('./transport');

const { ACCEPTED, FOREIGN, HEAD, IDLE, LATE, STARVED } = kinds;

/** @typedef {import('./websocket-server')} WebSocketServer */

/** As in net.js. */
const DEFAULT_BACKLOG = 511;

/**
 * Node's http server looks for slow clients every 30 s and gives each 60 s, so
 * that the third look is the first that may find one.
 */
const SWEEP_INTERVAL = 30_000;
const MAX_SWEEPS = 3;
const LATE_ANSWER = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

/**
 * Whether 'upgrade' sees what AsyncLocalStorage holds where the server was
 * made: since Node 24, which keeps it in V8's frames and not in resources.
 */
const hasContextFrames = !Object.hasOwn(
  new AsyncLocalStorage(),
  'kResourceStore'
);

/** How long to wait when no descriptor is left. */
const STARVED_DELAY = 100;

/**
 * The server of `new WebSocketServer({ port })`: the part of http.Server that
 * a WebSocketServer uses. The engine listens and reads upgrade requests; a
 * connection with anything else is Node's http server's.
 */
class OwnServer extends EventEmitter {
  /**
   * @param {WebSocketServer} wss
   * @param {Function} handleUpgrade The method that `wss` has if nobody has put
   *     another one in its place
   */
  constructor(wss, handleUpgrade) {
    super();

    this.resource = null;
    this._scope = hasContextFrames ? new AsyncResource('OXWS') : null;
    this._wss = wss;
    this._server = null;
    this._sweeper = null;
    this._onlookup = null;
    this._closing = false;
    /** Connections that hold the event loop themselves. */
    this._links = 0;
    this._handleUpgrade = handleUpgrade;
    this._http = createHttpServer();
    // An upgrade request that is correct but not as the engine wants them.
    this._http.on('upgrade', (request, /** @type {any} */ socket, head) => {
      socket.link.raw.end((unread) => {
        this.emit('upgrade', request, socket, Buffer.concat([head, unread]));
      });
    });
    // It never listens, but has to know its connections to close idle ones.
    this._http.emit('listening');
    this.on('newListener', (event) => {
      if (event === 'connection' && this._server) this._server.announce();
    });
    this._connection = wss.emit.bind(wss, 'connection');
  }

  get listening() {
    return this._server !== null && !this._closing;
  }

  address() {
    return this.listening ? this._server.address() : null;
  }

  listen({ port, host, backlog }) {
    if (host && !net.isIP(host)) {
      dns.lookup(host, (err, address) => {
        if (this._closing) return;
        if (err) this.emit('error', err);
        else this._bind([address], port, backlog);
      });
    } else {
      this._bind(host ? [host] : ['::', '0.0.0.0'], port, backlog);
    }
  }

  /** Listens on the first address that there is. */
  _bind(addresses, port, backlog) {
    let server;

    for (const address of addresses) {
      server = native.listenTcp(
        bridge.id,
        address,
        port,
        backlog || DEFAULT_BACKLOG,
        http.maxHeaderSize
      );

      if (typeof server !== 'number') break;
    }

    if (typeof server === 'number') {
      const address = addresses[0];
      const err = createSystemError(server, 'listen', address, port);

      timers.nextTick(() => {
        if (!this._closing) this.emit('error', err);
      });
      return;
    }

    this._server = server;
    if (this.listenerCount('connection') > 0) server.announce();
    targets[server.id] = this;
    this._sweeper = timers.setInterval(
      () => server.sweep(MAX_SWEEPS),
      SWEEP_INTERVAL
    );
    this._sweeper.unref();
    timers.nextTick(() => {
      if (!this._closing) this.emit('listening');
    });
  }

  /** Events of the listener itself. */
  receive(events) {
    while (events.next()) {
      if (events.kind === IDLE) {
        targets[this._server.id] = undefined;
        this.emit('close');
      } else if (events.kind === STARVED) {
        timers.setTimeout(() => this._server.resume(), STARVED_DELAY).unref();
      }
    }
  }

  /** The first event of an accepted connection. */
  arrive(id, events) {
    const link = new NativeLink(id);

    this._links++;
    link.onClosed = () => this._left();

    try {
      this._onEvent(link, events.kind, events.data);
    } catch (err) {
      bridge.raise(err);
    }

    link.receive(events);
  }

  /** The last one leaves: 'close' follows, and the process waits for it. */
  _left() {
    this._links--;
    if (this._closing && this._links === 0) this._server.hold(true);
  }

  _onEvent(link, kind, data) {
    if (kind === HEAD && this._scope === null) {
      this._upgrade(link, data);
    } else if (kind === HEAD) {
      this._scope.runInAsyncScope(this._upgrade, this, link, data);
    } else if (kind === FOREIGN) {
      this._hand(link, data);
    } else if (kind === LATE) {
      link.socket.end(LATE_ANSWER, () => link.socket.destroy());
    } else if (kind === ACCEPTED) {
      link.listen((kind, value, data) => this._onEvent(link, kind, data));
      this.emit('connection', link.socket);
    }
  }

  _upgrade(link, head) {
    const wss = this._wss;
    const request = new UpgradeRequest(link, head);

    link.listen(null);

    if (wss.handleUpgrade === this._handleUpgrade) {
      wss[kUpgrade](request, new LinkTransport(link), this._connection);
    } else {
      this.emit('upgrade', request, link.socket, Buffer.alloc(0));
    }
  }

  /** Gives a connection, with what was read of it, to Node's http server. */
  _hand(link, bytes) {
    const { socket } = link;

    link.startRaw();
    this._http.emit('connection', socket);
    link.raw.receive(bytes);
  }

  close(callback) {
    if (callback) this.once('close', callback);

    this._closing = true;
    timers.clearInterval(this._sweeper);
    this._http.close();

    if (this._server === null) {
      timers.nextTick(() => this.emit('close'));
      return;
    }

    this._server.close();
    // What is open holds the event loop, unless it is released.
    if (this._links > 0) this._server.hold(false);
  }
}

/** Answers what is not for a WebSocketServer as `ws` does it. */
function createHttpServer() {
  return http.createServer((request, response) => {
    const body = http.STATUS_CODES[426];

    response.writeHead(426, {
      'Content-Length': body.length,
      'Content-Type': 'text/plain'
    });
    response.end(body);
  });
}

/**
 * Whether the engine can listen: for one process, on a TCP port, with nobody in
 * between. What Node makes of other values is for Node to say.
 */
function isEngines({ backlog, host, port }) {
  return (
    !cluster.isWorker &&
    /^\d+$/.test(port) &&
    port >= 0 &&
    port <= 65535 &&
    (!backlog || (Number.isInteger(backlog) && backlog > 0)) &&
    (!host || typeof host === 'string') &&
    isServerOriginal()
  );
}

/**
 * Listens for a WebSocketServer.
 *
 * @param {WebSocketServer} wss
 * @param {Object} options Its options: port, host, backlog
 * @param {Function} handleUpgrade The method of its class
 * @param {Function} [callback] The first listener of 'listening'
 * @return {(OwnServer|http.Server)}
 */
function listen(wss, options, handleUpgrade, callback) {
  const { port, host, backlog } = options;

  if (!isEngines(options)) {
    const server = createHttpServer();

    return server.listen(port, host, backlog, /** @type {any} */ (callback));
  }

  const server = new OwnServer(wss, handleUpgrade);

  if (typeof callback === 'function') {
    server.once('listening', /** @type {any} */ (callback));
  }
  server.listen({ port: +port, host, backlog });

  return server;
}

module.exports = { listen };
