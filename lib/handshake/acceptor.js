'use strict';

const http = require('http');

const native = require('../native/addon');
const { bridge, kinds, targets } = require('../native/bridge');
const { hasDescriptors } = require('../native/descriptors');
const NativeConnection = require('../connection/native-connection');
const timers = require('../node/timers');

const { LISTENER_CLOSED, ACCEPT_FAILED } = kinds;

/** How long to wait when no descriptor is left. */
const STARVED_DELAY = 100;

/**
 * The engine, listening and accepting in the place of a bound TCP handle of
 * Node's. All else is the handle's own: what it is bound to, its place among
 * the handles that are open, what the server is told through it.
 */
class Acceptor {
  /**
   * @param {Object} handle
   * @param {native.ListenerHandle} server
   * @param {function(NativeConnection): boolean} onConnection
   * @param {function(): void} onReceived
   */
  constructor(handle, server, onConnection, onReceived) {
    const { close, ref, unref } = handle;

    this._server = server;
    this._onConnection = onConnection;
    this._onReceived = onReceived;
    this._isOpen = true;
    this._readsAhead = true;
    /** Its own events have no async context. */
    this.isInContext = true;

    targets[server.id] = this;
    define(handle, 'close', (callback) => {
      this._close();
      close.call(handle, callback);
    });
    define(handle, 'ref', () => {
      ref.call(handle);
      server.setRef(true);
    });
    define(handle, 'unref', () => {
      unref.call(handle);
      server.setRef(false);
    });
  }

  receive(events) {
    while (events.next()) {
      if (events.kind === LISTENER_CLOSED) targets[this._server.id] = undefined;
      else if (events.kind === ACCEPT_FAILED) this._wait();
    }
  }

  /** The first event of a connection. */
  onAccepted(id, events) {
    const connection = new NativeConnection(id);

    try {
      // It was in the queue of a socket that is closed.
      if (!this._isOpen) connection.destroy();
      else if (!this._onConnection(connection)) this.stopReadingAhead();
      else if (!this._readsAhead) connection.setReading(true);
    } catch (err) {
      bridge.raise(err);
    }

    connection.receive(events);
    this._onReceived();
  }

  /** Connections that come from here on are not read before they are told. */
  stopReadingAhead() {
    if (this._readsAhead) this._server.stopReadingAhead();
    this._readsAhead = false;
  }

  _wait() {
    timers.setTimeout(() => this._server.resume(), STARVED_DELAY).unref();
  }

  _close() {
    this._isOpen = false;
    this._server.close();
  }
}

/**
 * Has the engine accept the connections of a server of Node's, whenever that
 * listens on a TCP port, by a handle of this process.
 *
 * @param {http.Server} server
 * @param {function(): boolean} mayReadAhead Whether nobody but the engine reads
 *     connections from their beginning
 * @param {function(NativeConnection, Object): boolean} onConnection Gets a
 *     connection and the handle that listened for it; answers the same
 * @param {function(): void} onReceived Called when what came along with it was
 *     received
 */
function acceptFor(server, mayReadAhead, onConnection, onReceived) {
  if (!hasDescriptors()) return;

  // Node calls this when the address is known; the method is in its prototype
  // for those who wrap it.
  define(server, '_listen2', function listen(...args) {
    const { _listen2: listen } = Object.getPrototypeOf(server);

    // That of another process: the primary of a cluster.
    if (this._handle) return listen.apply(this, args);

    onceAssigned(this, '_handle', (handle) =>
      prepare(
        handle,
        mayReadAhead,
        (connection) => onConnection(connection, handle),
        onReceived
      )
    );

    try {
      return listen.apply(this, args);
    } finally {
      // It has no handle, if it cannot be bound.
      if (!this._handle) define(this, '_handle', null, true);
    }
  });
}

/** Has the engine listen when Node has the handle do so. */
function prepare(handle, mayReadAhead, onConnection, onReceived) {
  const { listen } = handle;

  if (!hasDescriptor(handle)) return;

  define(handle, 'listen', (backlog) => {
    const server = isBound(handle)
      ? native.listen(bridge.id, handle.fd, backlog | 0, http.maxHeaderSize)
      : null;

    // Node's own attempt has the error, or success.
    if (server === null || typeof server === 'number') {
      return listen.call(handle, backlog);
    }

    const acceptor = new Acceptor(handle, server, onConnection, onReceived);

    // Before a connection comes, and after the program has added its listeners.
    timers.nextTick(() => {
      if (!mayReadAhead()) acceptor.stopReadingAhead();
    });

    return 0;
  });
}

/** No pipe, no socket of somebody's making. */
function hasDescriptor(handle) {
  return (
    handle !== null &&
    typeof handle === 'object' &&
    typeof handle.getsockname === 'function' &&
    typeof handle.listen === 'function' &&
    handle.fd >= 0
  );
}

/** libuv tells only those who listen that a port is taken. */
function isBound(handle) {
  const name = {};

  return handle.getsockname(name) === 0 && name.port > 0;
}

/** Calls back with the first value that a property gets. */
function onceAssigned(object, name, callback) {
  Object.defineProperty(object, name, {
    configurable: true,
    enumerable: true,
    get: () => null,
    set: (value) => {
      define(object, name, value, true);
      callback(value);
    }
  });
}

function define(object, name, value, enumerable = false) {
  Object.defineProperty(object, name, {
    configurable: true,
    enumerable,
    value,
    writable: true
  });
}

module.exports = { acceptFor };
