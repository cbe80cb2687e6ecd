'use strict';

/** By session, who waits. @type {WeakMap<any, Array<function(): void>>} */
const waiting = new WeakMap();

/** Whether the server takes WebSockets (RFC 8441, section 3), as far as is known. */
function isEnabled(session) {
  return session.remoteSettings.enableConnectProtocol === true;
}

/**
 * Whether the server has said so, or not. Its settings are the first that it
 * sends: they come before it acknowledges ours.
 */
function isKnown(session) {
  const isAcknowledged = !session.connecting && !session.pendingSettingsAck;

  return session.destroyed || isAcknowledged || isEnabled(session);
}

/**
 * Calls back once a server has said which settings it has, or its session is
 * closed.
 *
 * @param {any} session A ClientHttp2Session of Node's
 * @param {function(): void} callback Never called from in here
 */
function onceKnown(session, callback) {
  const callbacks = waiting.get(session);

  if (isKnown(session)) process.nextTick(callback);
  else if (callbacks !== undefined) callbacks.push(callback);
  else wait(session, [callback]);
}

function wait(session, callbacks) {
  const onEvent = () => {
    if (!isKnown(session)) return;

    for (const event of EVENTS) session.removeListener(event, onEvent);
    waiting.delete(session);
    for (const callback of callbacks) callback();
  };

  waiting.set(session, callbacks);
  for (const event of EVENTS) session.on(event, onEvent);
}

const EVENTS = ['remoteSettings', 'localSettings', 'close'];

module.exports = { isEnabled, onceKnown };
