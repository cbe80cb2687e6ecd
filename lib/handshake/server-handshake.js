'use strict';

const {
  kCounts,
  kIsRunning,
  kOpen,
  kOriginals,
  kTrack
} = require('../constants');
const { channels } = require('../diagnostics');
const emitGuarded = require('../native/emit-guarded');
const extension = require('../extension');
const native = require('../native/addon');
const { EMPTY } = require('../payload');
const PerMessageDeflate = require('../permessage-deflate');
const {
  faultOf,
  isKey,
  negotiateExtensions,
  originOf,
  readProtocols
} = require('./request-checks');

/**
 * What is to be accepted.
 *
 * @typedef {Object} Terms
 * @property {Object<string, PerMessageDeflate>} extensions The accepted ones
 * @property {string} key The value of `Sec-WebSocket-Key`, not over HTTP/2
 * @property {Set<string>} protocols The subprotocols offered
 *
 * @typedef {import('http').IncomingMessage} IncomingMessage
 * @typedef {import('./request-checks').Fault} Fault
 * @typedef {(import('./upgrade-socket').NativeUpgradeSocket |
 *     import('./upgrade-socket').DuplexUpgradeSocket)} UpgradeSocket
 * @typedef {import('../websocket')} WebSocket
 * @typedef {import('../websocket-server')} WebSocketServer
 */

const DEFLATE = PerMessageDeflate.extensionName;

/** The server's half of one opening handshake (RFC 6455, section 4.2). */
class ServerHandshake {
  /**
   * @param {WebSocketServer} server
   * @param {IncomingMessage} request
   * @param {UpgradeSocket} socket
   */
  constructor(server, request, socket) {
    this._server = server;
    this._request = request;
    this._socket = socket;
  }

  /**
   * Validates the request, has the user verify it, and accepts or rejects it.
   *
   * @param {function(WebSocket, IncomingMessage): void} callback Gets what is
   *     accepted, now or later
   */
  run(callback) {
    this._socket.onAbort();
    this._rejectOnThrow(() => {
      const terms = this._validateRequest();

      if (terms) this._verify(() => this._complete(terms, callback));
    });
  }

  /**
   * Does what calls functions of the user's. If one throws before the request
   * is answered, nobody else will answer it.
   */
  _rejectOnThrow(work) {
    try {
      work();
    } catch (err) {
      if (!this._socket.isClaimed && this._socket.alive) this._reject(500);
      throw err;
    }
  }

  _reject(code, message, headers) {
    const { _request: request, _server: server } = this;

    this._socket.reject(code, message, headers);
    server[kCounts].countRefused(code);
    if (channels.refused.hasSubscribers) {
      channels.refused.publish({ server, request, code, message });
    }
  }

  /** @return {(Terms|undefined)} None: it was rejected */
  _validateRequest() {
    const { _request: request, _server: server } = this;
    const fault = faultOf(request, this._socket.isHttp2);

    if (fault) {
      this._rejectInvalid(fault);
      return;
    }

    if (!server.shouldHandle(request)) {
      this._reject(400);
      return;
    }

    let protocols;
    let extensions;

    try {
      protocols = readProtocols(request);
    } catch {
      this._rejectInvalid({
        message: 'Invalid Sec-WebSocket-Protocol header'
      });
      return;
    }

    try {
      extensions = negotiateExtensions(server.options, request);
    } catch {
      this._rejectInvalid({
        message: 'Invalid or unacceptable Sec-WebSocket-Extensions header'
      });
      return;
    }

    return {
      extensions,
      key: request.headers['sec-websocket-key'],
      protocols
    };
  }

  /**
   * Answers a request that is no opening handshake, or has the user do so.
   *
   * @param {Fault} fault
   */
  _rejectInvalid({ code = 400, message, headers }) {
    const server = this._server;

    if (server.listenerCount('wsClientError') === 0) {
      this._reject(code, message, headers);
      return;
    }

    const err = new Error(message);

    Error.captureStackTrace(err, this._rejectInvalid);
    server.emit('wsClientError', err, this._socket.socket, this._request);
  }

  /** Calls `accept` if, and when, the user's `verifyClient` says so. */
  _verify(accept) {
    const { options } = this._server;
    const { verifyClient } = options;

    if (!verifyClient) {
      accept();
      return;
    }

    const info = {
      origin: originOf(this._request),
      secure: this._isSecure,
      req: this._request
    };

    if (verifyClient.length !== 2) {
      if (options.verifyClient(info)) accept();
      else this._reject(401);
      return;
    }

    options.verifyClient(info, (isVerified, code, message, headers) => {
      this._rejectOnThrow(() => {
        if (isVerified) accept();
        else this._reject(code || 401, message, headers);
      });
    });
  }

  get _isSecure() {
    const { socket } = this._request;

    return Boolean(
      /** @type {any} */ (socket).authorized ||
      /** @type {any} */ (socket).encrypted
    );
  }

  /** Accepts, by the server's method if somebody has put one in its place. */
  _complete(terms, callback) {
    const { _request: request, _server: server } = this;

    if (server.completeUpgrade === server[kOriginals].completeUpgrade) {
      this.accept(terms, callback);
      return;
    }

    const { extensions, key, protocols } = terms;
    const { early = EMPTY, socket } = this._socket;

    server.completeUpgrade(
      extensions,
      key,
      protocols,
      request,
      socket,
      early,
      callback
    );
  }

  /**
   * Makes a WebSocket of the connection of a request that was verified.
   *
   * @param {Terms} terms
   * @param {function(WebSocket, IncomingMessage): void} callback Not called if
   *     the client has gone, or the server takes no more
   * @throws {Error} If this socket has a WebSocket already
   */
  accept(terms, callback) {
    const { _request: request, _server: server, _socket: socket } = this;

    // The client may have gone away meanwhile.
    if (!socket.alive) {
      socket.destroy();
      return;
    }

    if (socket.isClaimed) {
      throw new Error(
        'server.handleUpgrade() was called more than once with the same ' +
          'socket, possibly due to a misconfiguration'
      );
    }

    if (!server[kIsRunning]) {
      this._reject(503);
      return;
    }

    const { options } = server;
    const websocket = new options.WebSocket(null, undefined, options);
    const lines = this._respond(websocket, terms);

    emitGuarded(server, 'headers', lines, request);

    const connection = socket.accept(lines);

    socket.offAbort();
    websocket[kOpen](connection, options);
    server[kTrack](websocket);
    if (channels.connection.hasSubscribers) {
      channels.connection.publish({ server, websocket, request });
    }
    callback(websocket, request);
  }

  /** The lines of the response; the WebSocket gets what they say. */
  _respond(websocket, { extensions, key, protocols }) {
    const lines = this._socket.isHttp2
      ? ['HTTP/2 200']
      : [
          'HTTP/1.1 101 Switching Protocols',
          'Upgrade: websocket',
          'Connection: Upgrade'
        ];

    // Over HTTP/2 there is none by the standard; undici has one all the same.
    if (!this._socket.isHttp2 || isKey(key)) {
      lines.push(`Sec-WebSocket-Accept: ${native.acceptKey(key)}`);
    }

    const protocol = this._chooseProtocol(protocols);
    const deflate = extensions[DEFLATE];

    if (protocol) {
      lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
      websocket._protocol = protocol;
    }

    if (deflate) {
      const value = extension.format({ [DEFLATE]: deflate.params });

      lines.push(`Sec-WebSocket-Extensions: ${value}`);
      websocket._extensions = extensions;
    }

    return lines;
  }

  _chooseProtocol(protocols) {
    const { options } = this._server;

    if (protocols.size === 0) return;

    return options.handleProtocols
      ? options.handleProtocols(protocols, this._request)
      : protocols.values().next().value;
  }
}

module.exports = ServerHandshake;
