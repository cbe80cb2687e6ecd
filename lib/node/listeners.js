'use strict';

/**
 * What `emitter._events` is: the listeners by their events, in the order in
 * which the events got one. It inherits nothing, as Node's, which V8 keeps as a
 * hash table from the beginning: that is 136 bytes more for each WebSocket.
 */
function Listeners() {}

Listeners.prototype = Object.create(null);

module.exports = Listeners;
