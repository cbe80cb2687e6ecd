'use strict';

const { PassiveResource } = require('../native/async-context');
const { bridge } = require('../native/bridge');
const { kEndsNext, kInternal } = require('../constants');
const {
  createClosing,
  createDestroyed,
  createUnwritten
} = require('../errors/system-errors');
const timers = require('../node/timers');

/** @typedef {import('./native-byte-stream')} NativeByteStream */

/** A callback, and the number of the send that it is of. */
class WriteCallback {
  constructor(sequence, fn) {
    this.sequence = sequence;
    this.fn = fn;
    /** The tick in which it was to be called has gone by. */
    this.isLate = false;
  }

  /** One that throws must not keep the others from being called. */
  call(err) {
    try {
      this.fn(err);
    } catch (thrown) {
      bridge.raise(thrown);
    }
  }
}

/**
 * The callbacks of sends, called when the kernel has what was sent.
 *
 * Each has a tick of its own, which has the async context of the send. Where the
 * kernel does not take all, what waits has that of the first that waits, as in
 * a `net.Socket`: it is written when that is.
 */
class WriteCallbacks {
  /** @param {NativeByteStream} connection */
  constructor(connection) {
    this._connection = connection;
    /** Node's TLS is never done with a write at once: what comes then waits. */
    this._isChained = connection.session !== null;
    /** Those that are not called begin at `_next`, in order: late ones first. */
    this._list = [];
    this._next = 0;
    /** Up to this number all is written. */
    this._written = 0;
    /** The async context of the late ones. */
    this._scope = null;
    /** Why the connection is closed, once it is. */
    this._reason = undefined;
  }

  /** Has `fn` called when all that is queued now is written. */
  add(fn) {
    const { _connection: connection } = this;

    if (connection.destroyed) {
      timers.nextTick(fn, createDestroyed());
      return;
    }

    const callback = new WriteCallback(bridge.queued(connection.id), fn);

    if (this._isChained && fn[kInternal] !== true) this._openScope();

    this._list.push(callback);
    timers.nextTick(onTick, this, callback);
  }

  _onTick(callback) {
    const isInternal = callback.fn[kInternal] === true;

    if (this._reason !== undefined) {
      this._take().call(this._outcomeOf(callback));
      return;
    }

    // What was sent before the connection was destroyed has left with that.
    const isDone =
      (callback.fn[kEndsNext] === true && this._isAsGoodAsWritten) ||
      this._isWritten(callback, isInternal ? 0 : 1);

    if (isDone && !this._hasLate) {
      this._callFirst(null);
      return;
    }

    callback.isLate = true;
    if (!isInternal) this._openScope();

    // The look above may have found late ones written: nobody tells of those.
    if (this._list[this._next].sequence <= this._written) this.callWritten();
    else this._connection.notifyWritten();
  }

  /** What it may end the connection with leaves together with what waits. */
  get _isAsGoodAsWritten() {
    return bridge.takesAtOnce(this._connection.id) === 1;
  }

  _isWritten(callback, now) {
    if (callback.sequence > this._written) this._look(now);

    return callback.sequence <= this._written;
  }

  _look(now) {
    const written = bridge.written(this._connection.id, now);

    if (written > this._written) this._written = written;
  }

  /** Calls those that were late and are written, `now` if it is 1. */
  callWritten(now = 0) {
    if (!this._hasLate || this._connection.destroyed) return;

    this._look(now);
    while (this._hasLate && this._list[this._next].sequence <= this._written) {
      this._callFirst(null);
    }

    if (this._hasLate) this._connection.notifyWritten();
  }

  /** The connection is about to lose its id: what is not written never will be. */
  noteWritten() {
    this._look(0);
  }

  _outcomeOf(callback) {
    if (callback.sequence <= this._written) return null;

    const { _connection: connection, _reason: reason } = this;

    // No write of what is corked has begun: it is as if the socket had been told.
    if (connection.isHeldBack && connection.tlsError === null) {
      return reason === 0
        ? (connection.socket.errored ?? createDestroyed())
        : createClosing(reason);
    }

    return createUnwritten(reason);
  }

  /** The connection is closed, for this reason. */
  end(reason) {
    this._reason = reason;
    while (this._hasLate) {
      this._callFirst(this._outcomeOf(this._list[this._next]));
    }
  }

  get _hasLate() {
    return this._next < this._list.length && this._list[this._next].isLate;
  }

  /** What waits is written in this async context, if in none of its own. */
  _openScope() {
    this._scope ??= new PassiveResource('WRITEWRAP');
  }

  _callFirst(err) {
    const { _scope: scope } = this;
    const callback = this._take();

    // What is sent from here on waits for nothing.
    if (!(this._isChained ? this._next < this._list.length : this._hasLate))
      this._scope = null;

    if (scope === null) callback.call(err);
    else scope.runInAsyncScope(callback.call, callback, err);
  }

  /**
   * Takes the first one. The list is made anew when most of it is done with:
   * that costs a callback little, however many there are.
   */
  _take() {
    const callback = this._list[this._next++];

    if (this._next > this._list.length / 2) {
      this._list = this._list.slice(this._next);
      this._next = 0;
    }

    return callback;
  }
}

function onTick(callbacks, callback) {
  callbacks._onTick(callback);
}

module.exports = WriteCallbacks;
