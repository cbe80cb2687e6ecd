'use strict';

/**
 * Runs in a page: `dial()` makes a WebSocket, waits until it is open or closed,
 * and keeps its messages for `next()` and its end in `closed`.
 */
module.exports = () => {
  window.dial = async (url, protocols) => {
    const ws = new WebSocket(url, protocols);
    const messages = [];
    const readers = [];

    ws.next = () =>
      messages.length > 0
        ? Promise.resolve(messages.shift())
        : new Promise((resolve) => readers.push(resolve));
    ws.onmessage = ({ data }) => {
      if (readers.length > 0) readers.shift()(data);
      else messages.push(data);
    };
    ws.closed = new Promise((resolve) => {
      ws.onclose = ({ code, reason, wasClean }) =>
        resolve({ code, reason, wasClean });
    });
    await Promise.race([
      new Promise((resolve) => (ws.onopen = resolve)),
      ws.closed
    ]);
    return ws;
  };
};
