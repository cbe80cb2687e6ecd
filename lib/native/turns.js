'use strict';

const timers = require('../node/timers');
const { PassiveResource } = require('./async-context');
const { bridge } = require('./bridge');
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
  /** @param {function(): void} callback Called then, if there is no other one */
  constructor(callback) {
    this.isOver = false;
    this._callback = callback;

    const task = bridge.awaitClosing();
    const end = () => {
      this.isOver = true;
      this._callback();
    };

    if (task === -1) timers.setImmediate(end);
    else onTaskDone(task, end);
  }

  /** Calls this back instead, in the async context of this call. */
  once(callback) {
    const resource = new PassiveResource('OXWS');

    this._callback = () => resource.runInAsyncScope(callback);
  }
}

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
