'use strict';

const http = require('http');

const { acceptFor } = require('./acceptor');
const {
  PassiveResource,
  hasContextFrames
} = require('../native/async-context');
const { kinds } = require('../native/bridge');
const { UpgradeRequest } = require('./upgrade-message');
const { deliver, release, serve } = require('./node-connection');
const { isServerOriginal } = require('../node/node-originals');
const timers = require('../node/timers');
const { kOriginals } = require('../constants');
const ServerHandshake = require('./server-handshake');
const { NativeUpgradeSocket } = require('./upgrade-socket');
const UntouchedServer = require('./untouched-server');

/**
 * @typedef {import('../connection/native-connection')} NativeConnection
 * @typedef {import('../websocket-server')} WebSocketServer
 */

const { HEAD_STARTED, CLOSED, END, NOT_AN_UPGRADE, HEAD } = kinds;

/**
 * The port of `new WebSocketServer({ port })`: an http.Server of Node's for
 * which the engine accepts connections and reads upgrade requests. It does so as
 * long as the program cannot tell: any other connection, and all of them once the
 * program has changed anything, is Node's.
 */
class NativeServer {
  /** @param {WebSocketServer} wss */
  constructor(wss) {
    this.server = createServer();

    this._wss = wss;
    this._onUpgrade = null;
    this._onConnection = null;
    this._untouched = new UntouchedServer(this.server);
    /** What listens has the async context in which it was made. */
    this._resource = new PassiveResource('OXWS');
    /** Connections that have not sent anything, and since when. */
    this._silent = new Map();
    /** Those that have sent a part of a head, and since when. */
    this._begun = new Map();
    /** The class of Node's handles. */
    this._TCP = null;
    /** The connection that was accepted in the call of the engine's under way. */
    this._accepted = null;
    /** Node's list of those that it serves. */
    this._list = null;
  }

  /**
   * @param {Object} options Those of the WebSocketServer
   * @param {Function} [callback] The first listener of 'listening'
   */
  listen({ port, host, backlog }, callback) {
    // Where somebody has put himself between, all of it is Node's.
    if (isServerOriginal()) {
      acceptFor(
        this.server,
        () => this._isUntouched,
        (connection, handle) => this._accept(connection, handle),
        () => (this._accepted = null)
      );
    }

    this.server.listen(port, host, backlog, /** @type {any} */ (callback));
  }

  /**
   * @param {Function} onUpgrade The listener of 'upgrade' that there is no need
   *     to call
   * @param {any} onConnection What it has called with a WebSocket
   */
  standIn(onUpgrade, onConnection) {
    this._onUpgrade = onUpgrade;
    this._onConnection = onConnection;
  }

  get _isUntouched() {
    return (
      this._wss.handleUpgrade === this._wss[kOriginals].handleUpgrade &&
      this._untouched.hasOnly(this._onUpgrade)
    );
  }

  /**
   * A connection has come.
   *
   * @return {boolean} Whether it is one for the engine to read
   */
  _accept(connection, handle) {
    const isUntouched = this._isUntouched;

    this._TCP = handle.constructor;

    if (isUntouched && this._untouched.hasRoom && this._joinList()) {
      this._accepted = connection;
      this._silent.set(connection, timers.now());
      connection.countFor(this.server);
      connection.listen((kind, value, data) =>
        this._onEvent(connection, kind, data)
      );
      return true;
    }

    const taken = release(connection, this._TCP);

    if (taken === null) return isUntouched;

    const { onconnection } = handle;

    // What libuv does when the kernel brings one.
    this._resource.runInAsyncScope(onconnection, handle, 0, taken.handle);
    this._read(deliver, taken.handle, taken.bytes);

    return isUntouched;
  }

  _onEvent(connection, kind, data) {
    if (kind === HEAD) {
      this._forget(connection);
      connection.listen(null);

      // No listener was called since it was accepted, if that was just now.
      if (connection === this._accepted || this._isUntouched) {
        this._upgrade(connection, data);
      } else {
        this._serve(connection);
      }
    } else if (kind === NOT_AN_UPGRADE) {
      this._serve(connection);
    } else if (kind === HEAD_STARTED) {
      // The time for a head begins with it.
      this._silent.delete(connection);
      this._begun.set(connection, timers.now());
    } else if (kind === END) {
      connection.destroy();
    } else if (kind === CLOSED) {
      this._forget(connection);
    }
  }

  _forget(connection) {
    this._silent.delete(connection);
    this._begun.delete(connection);
  }

  /** Each request has an async context of its own, as with Node's parser. */
  _upgrade(connection, head) {
    const scope = this._read(createRequestScope);

    scope.runInAsyncScope(() => {
      new ServerHandshake(
        this._wss,
        /** @type {any} */ (new UpgradeRequest(connection, head)),
        new NativeUpgradeSocket(connection)
      ).run(this._onConnection);
    });
  }

  /** Has Node read a connection, and what was read of it. */
  _serve(connection) {
    this._forget(connection);

    const taken = release(connection, this._TCP);

    if (taken === null) return null;

    const socket = this._resource.runInAsyncScope(
      serve,
      null,
      this.server,
      this._untouched.connectionListener,
      taken.handle
    );

    this._read(deliver, taken.handle, taken.bytes);

    return socket;
  }

  /**
   * Calls a function in the context in which requests are read: where there are
   * frames, 'upgrade' sees what AsyncLocalStorage holds where the server was
   * made, as 'connection' and 'request' do.
   */
  _read(fn, ...args) {
    return hasContextFrames
      ? this._resource.runInAsyncScope(fn, null, ...args)
      : fn(...args);
  }

  /**
   * Has Node's list of connections, which it makes when the server listens,
   * tell of those that wait here, too: then whatever closes them, or times them
   * out, is Node's.
   *
   * @return {boolean} Whether there is a list
   */
  _joinList() {
    if (this._list !== null) return true;

    const list = listOf(this.server);

    if (list === undefined) return false;

    const { all, expired, idle } = list;

    this._list = list;
    list.all = () => [
      ...all.call(list),
      ...[...this._silent.keys(), ...this._begun.keys()].map((connection) => ({
        socket: connection
      }))
    ];
    list.idle = () => {
      // Whether these are is for Node to say: 26 has another answer than 24.
      for (const connection of [...this._silent.keys()])
        this._serve(connection);

      return idle.call(list);
    };
    list.expired = (headersTimeout, requestTimeout) => [
      ...expired.call(list, headersTimeout, requestTimeout),
      ...this._expire([headersTimeout, requestTimeout])
    ];

    return true;
  }

  /** Gives those to Node that have waited longer than one of the limits. */
  _expire(limits) {
    const time = timers.now();
    const isLate = (since) =>
      limits.some((limit) => limit > 0 && time - since > limit);
    const expired = [];

    for (const [connection, since] of [...this._silent, ...this._begun]) {
      if (isLate(since)) expired.push({ socket: this._serve(connection) });
    }

    return expired;
  }
}

function createRequestScope() {
  return new PassiveResource('HTTPINCOMINGMESSAGE');
}

/** Made as ws makes it, by whatever `createServer()` is. */
function createServer() {
  return http.createServer((request, response) => {
    const body = http.STATUS_CODES[426];

    response.writeHead(426, {
      'Content-Length': body.length,
      'Content-Type': 'text/plain'
    });
    response.end(body);
  });
}

/** The list of connections of a server of Node's. */
function listOf(server) {
  const name = Object.getOwnPropertySymbols(server).find(
    ({ description }) => description === 'http.server.connections'
  );

  return name && server[name];
}

module.exports = NativeServer;
