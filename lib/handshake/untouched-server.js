'use strict';

const diagnostics = require('diagnostics_channel');
const EventEmitter = require('events');
const http = require('http');

const { isSocketOriginal } = require('../node/node-originals');

const { Server } = http;
const { emit, listenerCount } = EventEmitter.prototype;

/** What Node's own emit() begins with; tools, and `domain`, have another one. */
const isEmitNodes = /^function emit\(type, \.\.\.args\) \{/.test(
  Function.prototype.toString.call(emit)
);

/**
 * Properties that differ from server to server, or that say nothing of how an
 * upgrade request is read and answered.
 */
const IGNORED = new Set([
  '_connectionKey',
  '_connections',
  '_events',
  '_eventsCount',
  '_handle',
  '_listeningId',
  '_maxListeners',
  '_pipeName',
  '_unref',
  '_workers',
  'connectionsCheckingInterval',
  'headersTimeout',
  'httpAllowHalfOpen',
  'keepAliveTimeout',
  'keepAliveTimeoutBuffer',
  'maxConnections',
  'maxRequestsPerSocket',
  'rejectNonStandardBodyWrites',
  'requestTimeout'
]);

/** The same of those that are named by symbols: their descriptions. */
const IGNORED_SYMBOLS = new Set([
  'async_id_symbol',
  'http.server.connections',
  'http.server.connectionsCheckingInterval',
  'ServerResponse',
  'shapeMode'
]);

/** Where tracing tools watch what Node's http server does. */
const channels = [
  'http.server.request.start',
  'http.server.response.created',
  'http.server.response.finish',
  'net.server.socket'
].map((name) => diagnostics.channel(name));

/**
 * Knows whether an http.Server is as Node makes it, with nothing of the program's
 * between it and an upgrade request: then the program cannot tell whether Node or
 * the engine reads that.
 */
class UntouchedServer {
  /** @param {http.Server} server Just made */
  constructor(server) {
    const reference = new Server();

    this._server = /** @type {any} */ (server);
    /** Node's listener of 'connection', which has the http parser read it. */
    this.connectionListener = reference.rawListeners('connection')[0];
    this._names = namesOf(reference);
    this._values = this._names.map((name) => server[name]);
    this._isNodes =
      isEmitNodes &&
      Object.getPrototypeOf(server) === Server.prototype &&
      namesOf(server).length === this._names.length &&
      this._names.every((name) => isAlike(server[name], reference[name]));
  }

  /**
   * @param {Function} upgrade The only listener of 'upgrade' there may be
   * @return {boolean} Whether it is untouched still
   */
  hasOnly(upgrade) {
    const { _names: names, _server: server, _values: values } = this;

    if (
      !this._isNodes ||
      !isSocketOriginal() ||
      server.emit !== emit ||
      server.listenerCount !== listenerCount ||
      server._events.connection !== this.connectionListener ||
      server._events.upgrade !== upgrade
    ) {
      return false;
    }

    for (let i = 0; i < names.length; i++) {
      if (server[names[i]] !== values[i]) return false;
    }

    for (const channel of channels) if (channel.hasSubscribers) return false;

    return true;
  }

  /** Whether one more connection would be accepted. */
  get hasRoom() {
    const { _connections: count, maxConnections: limit } = this._server;

    // Node 22 takes 0 for a limit.
    return limit === undefined || limit === null || count < limit;
  }
}

function namesOf(server) {
  return Reflect.ownKeys(server).filter((name) =>
    typeof name === 'symbol'
      ? !IGNORED_SYMBOLS.has(name.description)
      : !IGNORED.has(name)
  );
}

/** Functions and what is in objects are made for each server. */
function isAlike(value, other) {
  return typeof value === 'object' || typeof value === 'function'
    ? String(value) === String(other)
    : value === other;
}

module.exports = UntouchedServer;
