'use strict';

const { createHash } = require('crypto');

/**
 * Records what a WebSocket emits as plain JSON, one entry an event, each with
 * the readyState its listeners saw.
 *
 * @returns {object[]} grows while the WebSocket lives
 */
function trace(websocket) {
  const entries = [];
  const record = (event, fields) => {
    entries.push({ event, readyState: websocket.readyState, ...fields });
  };

  websocket.on('upgrade', (response) => {
    record('upgrade', { statusCode: response.statusCode });
  });
  websocket.on('open', () => {
    const { protocol, extensions, bufferedAmount } = websocket;

    record('open', { protocol, extensions, bufferedAmount });
  });
  websocket.on('message', (data, isBinary) => {
    record('message', { isBinary, data: describeData(data) });
  });
  websocket.on('ping', (data) => record('ping', { data: describeData(data) }));
  websocket.on('pong', (data) => record('pong', { data: describeData(data) }));
  websocket.on('error', (err) => record('error', describeError(err)));
  websocket.on('close', (code, reason) => {
    record('close', { code, reason: describeData(reason) });
  });
  return entries;
}

/** Bytes as text that a diff can show; long ones as length and digest. */
function describeData(data) {
  if (Array.isArray(data)) return data.map(describeData);
  if (typeof data === 'string') return `string ${data}`;

  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data);
  const type = Buffer.isBuffer(data) ? 'Buffer' : data.constructor.name;
  const content =
    bytes.length <= 64
      ? bytes.toString('latin1')
      : createHash('sha1').update(bytes).digest('hex');

  return `${type}(${bytes.length}) ${content}`;
}

/** The parts of an error that programs read. */
function describeError(err) {
  const fields = { class: err.constructor.name, message: err.message };

  for (const name of ['code', 'errno', 'syscall', 'address']) {
    if (err[name] !== undefined) fields[name] = err[name];
  }
  return fields;
}

/** What `action` throws, described; undefined when it does not throw. */
function thrown(action) {
  try {
    action();
  } catch (err) {
    return describeError(err);
  }
  return undefined;
}

module.exports = { describeData, describeError, thrown, trace };
