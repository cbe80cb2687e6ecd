'use strict';

const { PassiveResource } = require('./async-context');
const { kinds, targets } = require('./bridge');
const { createViolation } = require('../errors/protocol-errors');

const { VIOLATION } = kinds;

/** Waits for the only event of some work on another thread. */
class Task {
  constructor(callback) {
    this.isStreamEndpoint = false;
    this.isInContext = false;
    /** Has the callback called in the async context of this constructor. */
    this._resource = new PassiveResource('OXWSTASK');
    this._callback = callback;
  }

  enter(events) {
    this._resource.runInAsyncScope(this._receive, this, events);
  }

  _receive(events) {
    const callback = this._callback;

    events.next();

    if (events.kind === VIOLATION) {
      const { value } = events;

      callback(createViolation(value & 0x7f, value >>> 8));
    } else {
      callback(null, events.data);
    }
  }
}

/**
 * Has a callback called when a task is over. It keeps the process alive until
 * then.
 *
 * @param {number} id What the addon knows the task by
 * @param {function(?Error, Buffer=): void} callback Gets what the task made
 */
function onTaskDone(id, callback) {
  targets[id] = new Task((err, data) => {
    targets[id] = undefined;
    callback(err, data);
  });
}

module.exports = onTaskDone;
