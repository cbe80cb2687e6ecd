'use strict';

const {
  AsyncLocalStorage,
  AsyncResource,
  executionAsyncResource
} = require('async_hooks');

/** @typedef {import('../connection/native-byte-stream')} NativeByteStream */

/**
 * Whether AsyncLocalStorage keeps its stores in V8's frames and not in
 * resources: since Node 24.
 */
const hasContextFrames = !Object.hasOwn(
  new AsyncLocalStorage(),
  'kResourceStore'
);

/**
 * The async context of a connection. `process.getActiveResourcesInfo()` and the
 * like know it by the name that Node's handles have.
 */
class ConnectionResource extends AsyncResource {
  /** @param {string} type */
  constructor(type) {
    super(type);

    /** @type {?NativeByteStream} */
    this.connection = null;
  }

  /** Whether it keeps the process alive. */
  hasRef() {
    return this.connection !== null && !this.connection.isClosed;
  }
}

/** Own symbols of a resource, by the names that Node gives them. */
const STORE = 'kResourceStore';
const FRAME = 'context_frame';

/** What resources have their frames under, once one was seen. */
let frameSymbol;

/**
 * Whether AsyncLocalStorages have values here that cannot be told from those of
 * another handle.
 *
 * @return {boolean}
 */
function isInFrame() {
  return hasContextFrames && hasFrame(new PassiveResource('OXWS'));
}

/**
 * Whether AsyncLocalStorages have values in the frame of a resource.
 *
 * @param {AsyncResource} resource
 * @return {boolean}
 */
function hasFrame(resource) {
  if (!hasContextFrames) return false;

  frameSymbol ??= symbolsOf(resource, FRAME)[0];

  return frameSymbol === undefined || resource[frameSymbol] !== undefined;
}

/** Whether Node's http parser calls us: in the context of its socket. */
function isInParser() {
  return executionAsyncResource()?.constructor?.name === 'HTTPParser';
}

/**
 * Gives `to` the values that AsyncLocalStorages have in the context of `from`,
 * where resources have them.
 */
function copyStores(from, to) {
  if (hasContextFrames) return;

  for (const symbol of [...symbolsOf(from, STORE), ...symbolsOf(to, STORE)])
    to[symbol] = from[symbol];
}

function symbolsOf(resource, name) {
  return Object.getOwnPropertySymbols(resource).filter(
    ({ description }) => description === name
  );
}

/** An async context that keeps nothing alive, and says so. */
class PassiveResource extends AsyncResource {
  hasRef() {
    return false;
  }
}

/**
 * The async context that is nobody's: where Node makes the handles of sockets
 * that it accepts. No listener is called in it, as it could leave something.
 *
 * @type {?AsyncResource}
 */
let root = null;

/** Called where the addon calls: that is in nobody's context. */
function prepareRoot() {
  root ??= new PassiveResource('OXWS');
}

/**
 * The async context of a connection that was accepted: it has nothing of the
 * one in which it is made.
 *
 * @return {ConnectionResource}
 */
function createAccepted() {
  const create = () => new ConnectionResource('TCPWRAP');

  return root === null ? create() : root.runInAsyncScope(create);
}

/**
 * A callback that is called in the async context of this call.
 *
 * @param {*} callback
 * @return {(Function|undefined)} Nothing, where it is none
 */
function bindCallback(callback) {
  return typeof callback === 'function'
    ? AsyncResource.bind(callback, 'ZLIB')
    : undefined;
}

module.exports = {
  ConnectionResource,
  PassiveResource,
  bindCallback,
  copyStores,
  createAccepted,
  hasContextFrames,
  hasFrame,
  isInFrame,
  isInParser,
  prepareRoot
};
