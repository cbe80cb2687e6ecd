'use strict';

// The async context of a native connection: that of the handle which its socket
// would have in Node. The addon calls in it, once it has one there: that is
// cheaper than to enter one here. Where it cannot, without libuv and with values
// in a frame of V8's, it calls in nobody's, and a resource of JavaScript's is entered
// here.

const {
  ConnectionResource,
  copyStores,
  createAccepted,
  hasContextFrames,
  hasFrame
} = require('../native/async-context');
const { bridge, hasUv } = require('../native/bridge');

/** @typedef {import('./native-connection')} NativeConnection */

/**
 * Has a connection take events in its context. Most connections that are idle have
 * none: it is made with the first events.
 *
 * @param {NativeConnection} connection
 * @param {*} events
 */
function enter(connection, events) {
  const resource = connection.asyncResource;

  if (!hasUv || (resource !== null && hasFrame(resource))) {
    resourceOf(connection).runInAsyncScope(
      connection.receive,
      connection,
      events
    );
    return;
  }

  if (resource !== null) {
    resource.runInAsyncScope(() => createContext(connection, resource, 'OXWS'));
  } else {
    // This is called in nobody's context.
    createContext(connection, connection, 'TCPWRAP');
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
  } else if (hasUv && !hasContextFrames) {
    createContext(connection, connection, type);
  } else {
    // It may have a frame, which a context of the addon's cannot have.
    connection.asyncResource = new ConnectionResource(type);
    connection.asyncResource.connection = connection;
  }
  if (handle !== undefined) copyStoresOf(handle, connection);
}

/** Gives a connection what AsyncLocalStorages have in the context of a handle. */
function copyStoresOf(handle, connection) {
  copyStores(handle, connection.asyncResource ?? connection);
}

module.exports = { copyStoresOf, enter, inheritContext, resourceOf };
