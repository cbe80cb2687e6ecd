'use strict';

const { bridge } = require('./bridge');
const { createDestroyed, createUnwritten } = require('./system-errors');
const timers = require('./timers');

/** @typedef {import('./native-link')} NativeLink */

/** The callbacks of sends, called when the kernel has what was sent. */
class WriteCallbacks {
  /** @param {NativeLink} link */
  constructor(link) {
    this._link = link;
    /** As [number of the send, callback, …]; null if there are none. */
    this._list = null;
    /** Where in the list those begin that have not been called. */
    this._next = 0;
  }

  /** Has `cb` called when all that is queued now is written. */
  add(cb) {
    const { _link: link } = this;

    if (link.destroyed) {
      timers.nextTick(cb, createDestroyed());
      return;
    }

    if (this._list === null) {
      this._list = [];
      this._next = 0;
      timers.nextTick(settle, this);
    }

    this._list.push(bridge.queued(link.id), cb);
  }

  /** Calls those of what is written, and has itself called when there are more. */
  settle() {
    const { _link: link, _list: list, _next: start } = this;

    if (list === null || link.destroyed) return;

    const written = bridge.written(link.id);
    let end = start;

    while (end < list.length && list[end] <= written) end += 2;

    if (end === list.length) {
      this._list = null;
    } else {
      this._advance(end);
      link.tellWritten();
    }

    for (let i = start; i < end; i += 2) call(list[i + 1], null);
  }

  /** The list is made anew when most of it is done with: that costs a callback little, however many there are. */
  _advance(next) {
    if (next > this._list.length / 2) {
      this._list = this._list.slice(next);
      next = 0;
    }

    this._next = next;
  }

  /** The connection is closed: the others will never be. */
  fail(reason) {
    const { _list: list, _next: start } = this;

    if (list === null) return;

    this._list = null;

    for (let i = start; i < list.length; i += 2) {
      call(list[i + 1], createUnwritten(reason));
    }
  }
}

function settle(callbacks) {
  callbacks.settle();
}

/** A callback that throws must not keep the others from being called. */
function call(cb, err) {
  try {
    cb(err);
  } catch (thrown) {
    bridge.raise(thrown);
  }
}

module.exports = WriteCallbacks;
