'use strict';

const { bridge } = require('./bridge');

/** @typedef {import('events').EventEmitter} EventEmitter */

/**
 * Emits an event that more depends on than its listeners: what one of them
 * throws is an uncaught exception, and the caller goes on.
 *
 * @param {EventEmitter} emitter
 * @param {string} event
 * @param {...*} args
 * @return {boolean} Whether there was a listener
 */
function emitGuarded(emitter, event, ...args) {
  try {
    return emitter.emit(event, ...args);
  } catch (err) {
    bridge.raise(err);

    return true;
  }
}

module.exports = emitGuarded;
