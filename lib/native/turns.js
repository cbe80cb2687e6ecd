'use strict';

const timers = require('../node/timers');
const { bridge } = require('./bridge');
const onTaskDone = require('./task');

/**
 * Calls back when the ticks and microtasks of now are done: a program has heard
 * of the handshake, wherever it waited for it, before what came along with that
 * is told. With ws that is told in the same turn, too.
 */
function onceHandled(callback) {
  Promise.resolve().then(() => timers.nextTick(callback));
}

/**
 * Calls back when the event loop goes round next: whatever closes in this round
 * has told so.
 */
function onceRoundIsOver(callback) {
  const task = bridge.awaitRound();

  if (task === -1) timers.setImmediate(() => timers.setImmediate(callback));
  else onTaskDone(task, callback);
}

module.exports = { onceHandled, onceRoundIsOver };
