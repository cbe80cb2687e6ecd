'use strict';

const tls = require('tls');

const {
  ConnectionResource,
  PassiveResource
} = require('../native/async-context');
const { bridge } = require('../native/bridge');
const { EMPTY } = require('../payload');
const timers = require('../node/timers');

/** @typedef {import('./native-connection')} NativeConnection */

/** Rounds of the event loop after which Node's writes are waited for in ms. */
const ROUNDS = 8;

/** Those that Node still uses; null until there is one. */
let pending = null;

/** The process exits: what was sent has to leave, and no thread comes to it. */
function takeAll() {
  for (const session of pending) session.takeNow();
  bridge.leave();
}

/**
 * A TLS session that Node made, on its way to the engine, and afterwards Node's
 * half of it: the `TLSWrap`, which answers what it is asked.
 *
 * The socket is adopted inside a callback of the `TLSWrap`, which goes on to
 * read when that returns. So the engine gets the session in a callback of its
 * own; what Node has read until then comes first.
 */
class TlsSession {
  /**
   * @param {NativeConnection} connection
   * @param {any} socket A TLSSocket
   * @param {boolean} isInFrame Whether it is upgraded in its own async context, which
   *     is nowhere else to be had
   */
  constructor(connection, socket, isInFrame) {
    const { _handle: wrap } = socket;

    this.wrap = wrap;
    /** The socket below, if it has an object. */
    this.rawSocket = wrap._parentWrap ?? null;
    this._connection = connection;
    this.socket = socket;
    this._transport = wrap._parent;
    this._isServer = socket._tlsOptions.isServer === true;
    this._early = [];
    this._error = null;
    this._rounds = 0;
    /** Node does nothing with it any more. */
    this.isTaken = false;
    this._isDestroyed = false;
    /** What came before is not told yet. */
    this._hasEarly = false;
    /** What `bridge.dropBios()` gets. */
    this._bios = 0;
    /** The async context of the handle below, once that is closed. */
    this._scope = null;
    /** That of the `TLSWrap`, where it is the one in which sockets are upgraded. */
    this._resource = isInFrame ? new ConnectionResource('TLSWRAP') : null;

    const { onread } = wrap;

    wrap.readStop();
    wrap.onread = (memory) => {
      if (memory !== undefined) this._early.push(bytesOf(onread, memory));
    };
    wrap.onerror = (err) => {
      this._error ??= err;
    };

    if (pending === null) {
      pending = new Set();
      process.on('exit', takeAll);
    }

    pending.add(this);
    this._try = () => this._tryToTake();
    timers.setImmediate(this._try);
  }

  _tryToTake() {
    if (this.isTaken) return;

    if (this._error !== null) {
      this.socket._emitTLSError(this._error);
      this.socket.destroy();
    } else if (this._take(-1)) {
      // Nothing of Node's is below on the stack.
      if (this._bios > 0) bridge.freeBuffersOfBios(this._bios);
      this._connection.writeFirst();
      if (this._hasEarly) this._connection.deliverEarly();
    } else {
      this._rounds++;

      if (this._rounds < ROUNDS) timers.setImmediate(this._try);
      else if (this._transport.writeQueueSize > 0)
        timers.setTimeout(this._try, 1);
      // Node could not write: there is nobody there.
      else this._connection.destroy();
    }
  }

  /**
   * Takes it though Node may be about to use it: it cannot any more.
   */
  takeNow() {
    if (this.isTaken) return;

    // Below a proxy's connection there was something else before.
    const isCounted =
      (this._isServer || this.rawSocket === null) &&
      this._transport.writeQueueSize === 0;

    this._take(isCounted ? this._transport.bytesWritten : -1);
    this.destroy();
  }

  /** @return {boolean} Whether Node is done with it */
  _take(sent) {
    const { _connection: connection, _early: early } = this;
    const bios = bridge.takeSession(
      connection.id,
      early.length === 0 ? EMPTY : Buffer.concat(early),
      sent
    );

    if (bios === 0) return false;
    if (bios > 0) this._bios = bios;

    this._finish();

    return true;
  }

  /** Node's handle goes; the engine has one of its own. */
  _finish() {
    this.isTaken = true;
    this._early = [];
    pending.delete(this);
    this._transport.onread = ignore;
    bridge.unwatch(this._transport.fd);
    // This is called in that handle's async context.
    this._transport.close(() => {
      this._scope = new PassiveResource('TCPWRAP');
    });

    if (!this._connection.isClosed) {
      this._hasEarly = this._connection.onHandedOver(
        'TLSWRAP',
        this.wrap,
        this._resource
      );
    }
  }

  /** Asks the `TLSWrap` something. */
  ask(name, args) {
    if (this._isDestroyed) return undefined;

    return this.isTaken
      ? bridge.withLock(this._connection.id, () => this.wrap[name](...args))
      : this.wrap[name](...args);
  }

  /** What is told of the end is told by the handle below. */
  runInTransport(callback) {
    if (this._scope === null) callback();
    else this._scope.runInAsyncScope(callback);
  }

  /** Nobody asks any more. */
  destroy() {
    if (this._isDestroyed) return;

    this._isDestroyed = true;
    if (!this.isTaken) this._finish();
    this.wrap.destroySSL();
    if (this._bios > 0) bridge.dropBios(this._bios);
  }
}

/** What a handle has its socket under. */
let ownerSymbol;

/** What was read last. */
let bytesRead;

/**
 * A socket that keeps what it is given. (To derive it from the one that reads would
 * cost that its shape, which all of them share.)
 */
const keeper = Object.create(tls.TLSSocket.prototype, {
  _unrefTimer: { value: ignore },
  destroyed: { value: false },
  push: {
    value(bytes) {
      bytesRead = Buffer.from(bytes);
      return true;
    }
  }
});

/**
 * What a handle has read when it calls `onread(memory)`. Where in the memory the
 * bytes lie only Node's own function knows: that is called for another socket.
 */
function bytesOf(onread, memory) {
  onread.call({ [ownerSymbol]: keeper }, memory);

  return bytesRead;
}

/** Whether a handle knows its socket, as we know it. */
function hasOwner(wrap) {
  ownerSymbol ??= Object.getOwnPropertySymbols(wrap).find(
    ({ description }) => description === 'owner_symbol'
  );

  return ownerSymbol !== undefined && wrap[ownerSymbol] !== undefined;
}

function ignore() {}

TlsSession.hasOwner = hasOwner;

module.exports = TlsSession;
