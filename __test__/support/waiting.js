'use strict';

/** Resolves with the first `count` messages as `[data, isBinary]`. */
function messages(websocket, count) {
  const received = [];

  return new Promise((resolve) => {
    websocket.on('message', function onMessage(data, isBinary) {
      received.push([data, isBinary]);
      if (received.length < count) return;
      websocket.removeListener('message', onMessage);
      resolve(received);
    });
  });
}

/** A pong that has come tells that all before it has come. */
function allArrived(from, to) {
  return new Promise((resolve) => {
    to.on('pong', function onPong(data) {
      if (String(data) !== 'arrived') return;
      to.removeListener('pong', onPong);
      resolve();
    });
    from.pong('arrived');
  });
}

/** Lets everything that could arrive arrive. */
async function turns(count = 20) {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

/** Keeps this thread busy. */
function work(milliseconds) {
  const end = performance.now() + milliseconds;

  while (performance.now() < end);
}

/** Waits for what no event tells. @param {function(): any} isSo May be async */
async function until(isSo) {
  while (!(await isSo()))
    await new Promise((resolve) => setTimeout(resolve, 5));
}

module.exports = { messages, allArrived, turns, until, work };
