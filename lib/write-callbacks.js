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
      timers.nextTick(settle, this);
    }

    this._list.push(bridge.queued(link.id), cb);
  }

  /** Calls those of what is written. */
  settle() {
    const { _link: link, _list: list } = this;

    if (list === null || link.destroyed) return;

    const written = bridge.written(link.id);
    let count = 0;

    while (count < list.length && list[count] <= written) count += 2;

    this._list = count < list.length ? list.slice(count) : null;
    if (this._list !== null) link.tellDrained();

    for (let i = 1; i < count; i += 2) call(list[i], null);
  }

  /** The connection is closed: the others will never be. */
  fail(reason) {
    const list = this._list;

    if (list === null) return;

    this._list = null;

    for (let i = 1; i < list.length; i += 2) {
      call(list[i], createUnwritten(reason));
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
