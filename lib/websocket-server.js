'use strict';

const EventEmitter = require('events');

const NativeServer = require('./handshake/native-server');
const PerMessageDeflate = require('./permessage-deflate');
const {
  connectionDefaults,
  kCounts,
  kExtra,
  kIsRunning,
  kOnClientClose,
  kOriginals,
  kRefusing,
  kTrack
} = require('./constants');
const ServerCounts = require('./server-counts');
const ServerHandshake = require('./handshake/server-handshake');
const { upgradeSocketFor } = require('./handshake/upgrade-socket');
const WebSocket = require('./websocket');

/**
 * @typedef {import('http').IncomingMessage} IncomingMessage
 * @typedef {import('http').Server} HttpServer
 * @typedef {import('https').Server} HttpsServer
 * @typedef {import('stream').Duplex} Duplex
 */

const RUNNING = 0;
const CLOSING = 1;
const CLOSED = 2;

/**
 * A WebSocket server: with a port of its own, behind an http server of the
 * user's, or fed by hand with `handleUpgrade()`.
 *
 * Events: `connection` (websocket, request), `headers` (lines, request),
 * `wsClientError` (err, socket, request), `listening`, `error` (err), `close`.
 */
class WebSocketServer extends EventEmitter {
  /**
   * @param {Object} options Exactly one of `port`, `server` and `noServer` is
   *     needed
   * @param {boolean} [options.allowSynchronousEvents=true] `false`: one event
   *     of a connection a macrotask at most
   * @param {boolean} [options.autoPong=true]
   * @param {number} [options.backlog] As in `server.listen()`
   * @param {boolean} [options.clientTracking=true] Whether to keep `clients`
   * @param {number} [options.closeTimeout=30000] How long a closing handshake
   *     may take, in milliseconds
   * @param {function(Set<string>, IncomingMessage): (string|false)}
   *     [options.handleProtocols] Chooses a subprotocol; without it the first
   *     one offered is taken
   * @param {string} [options.host]
   * @param {number} [options.maxBufferedChunks=262144] 0 is no limit, as below
   * @param {number} [options.maxFragments=16384]
   * @param {number} [options.maxPayload=104857600] In bytes
   * @param {number} [options.maxPendingAutoPongs=60]
   * @param {boolean} [options.noServer=false]
   * @param {string} [options.path] The only path to accept
   * @param {(boolean|Object)} [options.perMessageDeflate=false]
   * @param {number} [options.port]
   * @param {(HttpServer|HttpsServer)} [options.server]
   * @param {boolean} [options.skipUTF8Validation=false]
   * @param {Function} [options.verifyClient] `(info)` returns whether to
   *     accept, `(info, callback)` says so later
   * @param {typeof WebSocket} [options.WebSocket] A subclass to make clients of
   * @param {Function} [callback] A listener of `listening`
   * @throws {TypeError} Unless the server is told where to serve, once
   * @throws {RangeError} If one of zlib's options is not valid
   */
  constructor(options, callback) {
    super();

    options = {
      ...connectionDefaults,
      backlog: null,
      clientTracking: true,
      handleProtocols: null,
      host: null,
      noServer: false,
      path: null,
      perMessageDeflate: false,
      port: null,
      server: null,
      verifyClient: null,
      WebSocket,
      ...options
    };

    checkListenOptions(options);

    if (options.perMessageDeflate === true) options.perMessageDeflate = {};
    // Said here, and not to each client.
    if (options.perMessageDeflate) {
      new PerMessageDeflate(options.perMessageDeflate);
    }
    if (options.clientTracking) {
      this.clients = new Set();
      this._shouldEmitClose = false;
    }

    this.options = options;
    this._state = RUNNING;
    this[kCounts] = new ServerCounts();
    this[kOnClientClose] = createClientCloseListener(this);

    if (options.port != null) {
      const port = new NativeServer(this);

      this._server = port.server;
      port.listen(options, callback);
      listen(this, port);
    } else if (options.server) {
      this._server = options.server;
      listen(this, null);
    }
  }

  /**
   * The address that the server is bound to, as `net.Server` reports it.
   *
   * @return {(Object|string|null)}
   * @throws {Error} In `noServer` mode
   */
  address() {
    if (this.options.noServer) {
      throw new Error('The server is operating in "noServer" mode');
    }

    return this._server ? this._server.address() : null;
  }

  /**
   * Stops accepting connections; those that are open stay. `close` is emitted
   * when all of them, or the server's own port, are closed.
   *
   * @param {function(Error=): void} [cb] A listener of `close`
   */
  close(cb) {
    if (this._state === CLOSED) {
      if (cb) {
        this.once('close', () => cb(new Error('The server is not running')));
      }

      process.nextTick(emitClose, this);
      return;
    }

    if (cb) this.once('close', cb);
    if (this._state === CLOSING) return;

    this._state = CLOSING;

    const server = this._server;

    if (server) {
      this._removeListeners();
      this._removeListeners = this._server = null;
    }

    if (!this.options.noServer && !this.options.server) {
      server.close(() => emitClose(this));
    } else if (this.clients?.size > 0) {
      this._shouldEmitClose = true;
    } else {
      process.nextTick(emitClose, this);
    }
  }

  /**
   * Tells whether a request is for this server. Meant to be overridden.
   *
   * @param {IncomingMessage} request
   * @return {boolean}
   */
  shouldHandle(request) {
    const { path } = this.options;

    return !path || request.url.split('?', 1)[0] === path;
  }

  /**
   * Answers an upgrade request, and makes a WebSocket of its connection.
   *
   * @param {IncomingMessage} request
   * @param {Duplex} socket
   * @param {Buffer} head What was already read after the request
   * @param {function(WebSocket, IncomingMessage): void} cb
   * @throws {Error} If this socket has a WebSocket already
   */
  handleUpgrade(request, socket, head, cb) {
    new ServerHandshake(this, request, upgradeSocketFor(socket, head)).run(cb);
  }

  /**
   * Makes a WebSocket of the connection of a request that was verified.
   *
   * @param {Object<string, PerMessageDeflate>} extensions The accepted ones
   * @param {string} key The value of `Sec-WebSocket-Key`
   * @param {Set<string>} protocols The subprotocols offered
   * @param {IncomingMessage} request
   * @param {Duplex} socket
   * @param {Buffer} head
   * @param {function(WebSocket, IncomingMessage): void} cb
   * @throws {Error} If this socket has a WebSocket already
   */
  completeUpgrade(extensions, key, protocols, request, socket, head, cb) {
    new ServerHandshake(this, request, upgradeSocketFor(socket, head)).accept(
      { extensions, key, protocols },
      cb
    );
  }

  get [kIsRunning]() {
    return this._state === RUNNING && this[kRefusing] !== true;
  }

  [kTrack](websocket) {
    if (!this.clients) return;

    this[kCounts].accepted++;
    this.clients.add(websocket);
    websocket.on('close', this[kOnClientClose]);
  }
}

const { completeUpgrade, handleUpgrade } = WebSocketServer.prototype;

Object.defineProperty(WebSocketServer.prototype, kOriginals, {
  value: { completeUpgrade, handleUpgrade }
});

/** Loaded by those who use `oxws/extra`. */
let access;

Object.defineProperty(WebSocketServer.prototype, kExtra, {
  get: () => (access ??= require('./extra/server-access'))
});

function checkListenOptions(options) {
  const { noServer, port, server } = options;
  const places = [port != null, server, noServer].filter(Boolean);

  if (places.length !== 1) {
    throw new TypeError(
      'One and only one of the "port", "server", or "noServer" options must ' +
        'be specified'
    );
  }
}

/**
 * Has a WebSocketServer hear of what its http.Server does.
 *
 * @param {WebSocketServer} wss
 * @param {?NativeServer} port That of its own, if it has one
 */
function listen(wss, port) {
  // The `emit` of now: replacing it later has no effect, as with `ws`.
  const emitConnection = wss.emit.bind(wss, 'connection');
  const upgrade = (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, emitConnection);
  };

  wss._removeListeners = addListeners(wss._server, {
    listening: wss.emit.bind(wss, 'listening'),
    error: wss.emit.bind(wss, 'error'),
    upgrade
  });
  if (port !== null) port.standIn(upgrade, emitConnection);
}

function addListeners(emitter, listeners) {
  const entries = Object.entries(listeners);

  for (const [event, listener] of entries) emitter.on(event, listener);

  return () => {
    for (const [event, listener] of entries) {
      emitter.removeListener(event, listener);
    }
  };
}

/** One listener for all clients of a server: it is called on the client. */
function createClientCloseListener(server) {
  return function onClose(code) {
    if (server.clients.delete(this)) server[kCounts].countClosed(this, code);

    if (server._shouldEmitClose && server.clients.size === 0) {
      process.nextTick(emitClose, server);
    }
  };
}

function emitClose(server) {
  server._state = CLOSED;
  server.emit('close');
}

module.exports = WebSocketServer;
