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

/** The part of a round in which libuv tells of what was closed by now. */
class ClosingTurn {
  constructor() {
    this.isOver = false;
    this._callback = undefined;

    const task = bridge.awaitClosing();
    const end = () => {
      this.isOver = true;
      this._callback?.();
    };

    if (task === -1) timers.setImmediate(end);
    else onTaskDone(task, end);
  }

  /** Calls back when it comes, in the async context of this call. */
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
