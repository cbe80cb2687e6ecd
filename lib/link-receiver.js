'use strict';

const EventEmitter = require('events');

/** @typedef {import('./websocket')} WebSocket */

/**
 * What `websocket._receiver` is. A link decodes by itself; this lets programs
 * listen to it, see its limits, and take the WebSocket's own listeners away.
 * It is made when somebody asks for it.
 */
class LinkReceiver extends EventEmitter {
  /**
   * @param {WebSocket} websocket
   * @param {Object} options The limits of the connection
   * @param {Object<string, Function>} listeners What the WebSocket does on
   *     each event; every function gets the WebSocket first
   */
  constructor(websocket, options, listeners) {
    super();

    this._extensions = websocket._extensions;
    this._isServer = websocket._isServer;
    this._maxBufferedChunks = options.maxBufferedChunks | 0;
    this._maxFragments = options.maxFragments | 0;
    this._maxPayload = options.maxPayload | 0;

    for (const [event, listener] of Object.entries(listeners)) {
      this.on(event, listener.bind(null, websocket));
    }
  }
}

module.exports = LinkReceiver;
