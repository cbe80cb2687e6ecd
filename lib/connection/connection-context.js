'use strict';

// The async context of a native connection: that of the handle which its socket
// would have in Node. The addon calls in it, once it has one there. Where it cannot,
// it calls in nobody's, and a resource of JavaScript's is entered here.

const {
  ConnectionResource,
  copyStores,
  createAccepted,
  hasContextFrames
} = require('../native/async-context');
const { bridge, hasUv } = require('../native/bridge');

/** @typedef {import('./native-connection')} NativeConnection */

/** The addon's contexts have no frames, and without libuv there are none. */
const hasNativeContexts = hasUv && !hasContextFrames;

/**
 * Has a connection take events in its context. Most connections that are idle have
 * none: it is made with the first events.
 *
 * @param {NativeConnection} connection
 * @param {*} events
 */
function enter(connection, events) {
  const resource = connection.asyncResource;

  if (resource === null && hasUv) {
    // This is called in nobody's context.
    createContext(connection, connection, 'TCPWRAP');
  } else if (resource !== null && hasNativeContexts) {
    resource.runInAsyncScope(() => createContext(connection, resource, 'OXWS'));
  } else {
    resourceOf(connection).runInAsyncScope(
      connection.receive,
      connection,
      events
    );
    return;
  }

  bridge.runInContext(connection.id, () => connection.receive(events));
}

/** Has the addon call in the context in which this is called. */
function createContext(connection, resource, type) {
  bridge.createContext(connection.id, resource, type);
  connection.isInContext = true;
}

/**
 * What `async_hooks` know it by, created lazily.
 *
 * @param {NativeConnection} connection
 * @return {ConnectionResource}
 */
function resourceOf(connection) {
  if (connection.asyncResource === null) {
    connection.asyncResource = createAccepted();
    connection.asyncResource.connection = connection;
  }

  return connection.asyncResource;
}

/**
 * Gives a connection the context of the handle that its socket had. This is called
 * in that context, or in that of another handle.
 *
 * @param {NativeConnection} connection
 * @param {string} type That of the handle
 * @param {Object} [handle] The handle, if this is called in another one's
 * @param {?ConnectionResource} [resource] What has its context, if that is known
 */
function inheritContext(connection, type, handle, resource = null) {
  if (resource !== null) {
    connection.asyncResource = resource;
    resource.connection = connection;
  } else if (hasNativeContexts) {
    createContext(connection, connection, type);
  } else {
    connection.asyncResource = new ConnectionResource(type);
    connection.asyncResource.connection = connection;
  }
  if (handle !== undefined) {
    copyStores(handle, connection.asyncResource ?? connection);
  }
}

module.exports = { enter, inheritContext, resourceOf };
