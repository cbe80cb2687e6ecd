'use strict';

const { accessTo, clientsOf, find } = require('./access');
const forEachInBatches = require('./batches');
const { checkDuration } = require('./options');
const { readyStates } = require('../constants');
const { DEAD, SILENT } = require('./verdicts');

const { CLOSED, CLOSING, OPEN } = readyStates;

/** A timer that is later than this was kept from being called. */
const LATE = 1000;

/** Nobody is given up. */
const FOREVER = 0xffffffff;

/** Sweeps are not exactly as far apart as they should be. */
const TOLERANCE = 0.9;

/** Looks after the connections of a server, or a connection. */
class KeepAlive {
  /**
   * @param {Iterable<any>} websockets
   * @param {function(): boolean} isOver Whether there will be no more of them
   * @param {number} interval
   * @param {number} timeout
   */
  constructor(websockets, isOver, interval, timeout) {
    this._websockets = websockets;
    this._isOver = isOver;
    this._interval = interval;
    this._timeout = timeout;
    /** When all are looked at next, and when those that were pinged, in order. */
    this._nextSweep = performance.now() + interval;
    this._dues = [];
    this._due = 0;
    this._timer = null;
    this._stopSweep = null;
    this._isStopped = false;
    this._arm();
  }

  stop() {
    this._isStopped = true;
    clearTimeout(this._timer);
    this._stopSweep?.();
  }

  _arm() {
    if (this._isStopped) return;

    if (this._isOver()) {
      this.stop();
      return;
    }

    this._due = Math.min(this._nextSweep, this._dues[0] ?? Infinity);
    this._timer = setTimeout(
      () => this._onTimer(),
      Math.max(this._due - performance.now(), 1)
    );
    // An open connection keeps the process alive by itself.
    this._timer.unref?.();
  }

  /** Sockets are read before immediates are called, and so before any is judged. */
  _onTimer() {
    const now = performance.now();
    const isLate = now - this._due > LATE;

    // The event loop was blocked, or the machine asleep: answers may be on
    // their way. They get as much time as if they were asked now.
    if (isLate && this._dues.length > 0) this._dues = [now + this._timeout];
    while (this._dues[0] <= now) this._dues.shift();
    while (this._nextSweep <= now) this._nextSweep += this._interval;

    const immediate = setImmediate(() => this._sweep(now, isLate));

    this._stopSweep = () => clearImmediate(immediate);
  }

  _sweep(now, isLate) {
    const timeout = isLate ? FOREVER : this._timeout;
    let hasPinged = false;

    this._stopSweep = forEachInBatches(
      this._websockets,
      (websocket) => {
        const { readyState } = websocket;

        // A ping() of the program's may have done that.
        if (this._isStopped) return;
        // Who does not read cannot tell.
        if (websocket.isPaused) return;
        // A peer that has ended may still read what waits for it, or not.
        if (readyState !== OPEN && readyState !== CLOSING) return;

        const verdict = find(websocket)?.checkAlive(
          websocket,
          Math.floor(now),
          Math.floor(this._interval * TOLERANCE),
          timeout
        );

        if (verdict === SILENT) {
          hasPinged = true;
          if (readyState === OPEN) websocket.ping();
        } else if (verdict === DEAD) {
          websocket.terminate();
        }
      },
      () => {
        if (hasPinged) this._dues.push(now + this._timeout);
        this._stopSweep = null;
        this._arm();
      }
    );
    if (this._isStopped) this._stopSweep();
  }
}

/**
 * Pings the peers that are silent, and terminates the connections of those that
 * stay silent.
 *
 * @param {any} target A WebSocket, or a WebSocketServer for all its clients
 * @param {Object} [options]
 * @param {number} [options.pingInterval=30000] Milliseconds between two looks
 * @param {number} [options.pingTimeout=10000] Milliseconds to answer in
 * @return {{stop: function(): void}}
 */
function keepAlive(target, options = {}) {
  const { pingInterval = 30_000, pingTimeout = 10_000 } = options;

  checkDuration('pingInterval', pingInterval, 1);
  checkDuration('pingTimeout', pingTimeout, 1);

  const work = createWork(target, pingInterval, pingTimeout);
  const stop = () => work.stop();

  return { stop, ...(Symbol.dispose && { [Symbol.dispose]: stop }) };
}

function createWork(target, interval, timeout) {
  if (find(target)?.of === 'WebSocketServer') {
    const clients = clientsOf(target);
    const isOver = () => find(target).isClosing(target) && clients.size === 0;

    return new KeepAlive(clients, isOver, interval, timeout);
  }

  const access = accessTo(target);
  const isClosed = () => target.readyState === CLOSED;
  const work = new KeepAlive([target], isClosed, interval, timeout);
  // The next look may be far, and would keep it in memory until then.
  const ignoreClosed = access.onClosed(target, () => work.stop());

  return {
    stop() {
      ignoreClosed();
      work.stop();
    }
  };
}

module.exports = keepAlive;
