'use strict';

const timers = require('../node/timers');
const { PassiveResource } = require('./async-context');
const { bridge, targets } = require('./bridge');
const onTaskDone = require('./task');

/**
 * Calls back when the event loop goes round next: whatever closes in this round
 * has told so.
 */
function onceRoundIsOver(callback) {
  const task = bridge.awaitRound();

  if (task === -1) timers.setImmediate(() => timers.setImmediate(callback));
  else onTaskDone(task, callback);
}

/** When libuv would tell of a handle that is closed now. */
class ClosingTurn {
  /** @param {function(): void} [callback] Called then, unless `once()` is */
  constructor(callback = nothing) {
    this.isOver = false;
    this._callback = callback;
    /** @type {?PassiveResource} */
    this._resource = null;
    // What the addon tells of it.
    this.isStreamEndpoint = this.isInContext = false;
    this._task = bridge.awaitClosing();

    if (this._task === -1) timers.setImmediate(() => this._end());
    else targets[this._task] = this;
  }

  /** Calls this back instead, in the async context of this call. */
  once(callback) {
    this._callback = callback;
    this._resource = new PassiveResource('OXWS');
  }

  /** The task is over. */
  enter() {
    targets[this._task] = undefined;
    this._end();
  }

  _end() {
    this.isOver = true;
    if (this._resource === null) this._callback();
    else this._resource.runInAsyncScope(this._callback);
  }
}

function nothing() {}

/** How often the event loop came to its immediates after `roundNow()`. */
let rounds = 0;
let isAwaited = false;

/** A number for `isRound()`. */
function roundNow() {
  if (!isAwaited) {
    isAwaited = true;
    timers.setImmediate(() => {
      isAwaited = false;
      rounds++;
    });
  }

  return rounds;
}

/** Whether the event loop has not come to its immediates since `roundNow()`. */
function isRound(round) {
  return isAwaited && round === rounds;
}

module.exports = { ClosingTurn, isRound, onceRoundIsOver, roundNow };
