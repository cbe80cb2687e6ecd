'use strict';

const {
  checkUrl,
  createUrl,
  parseUrl,
  resolveSettings,
  setTarget
} = require('./client-options');
const ClientOffer = require('./client-offer');
const { kClosing, kHandshake, kOpen, readyStates } = require('../constants');
const { dial, reportAbort } = require('./native-dial');
const emitGuarded = require('../native/emit-guarded');
const nodeRequest = require('./node-request');
const nativeRequest = require('./native-request');
const redirect = require('./redirect');
const socketOptionsOf = require('./socket-options');
const timers = require('../node/timers');

/** @typedef {import('../websocket')} WebSocket */

/** The longest delay of a timer; it takes longer ones for none. */
const MAX_DELAY = 2 ** 31 - 1;

/**
 * The client's half of one opening handshake (RFC 6455, section 4.1). Where a
 * redirect is followed, another one comes after it.
 */
class ClientHandshake {
  /**
   * Connects a WebSocket that was just created.
   *
   * @param {WebSocket} websocket
   * @param {(string|URL)} address
   * @param {(string|string[]|Object)} [protocols] The subprotocols to offer; or
   *     the options
   * @param {Object} [options]
   * @return {Object} The options with what they default to
   * @throws {(SyntaxError|RangeError|TypeError)} If an argument is invalid
   */
  static connect(websocket, address, protocols, options) {
    [protocols, options] = ClientHandshake.sortArguments(protocols, options);

    const handshake = new ClientHandshake(
      websocket,
      address,
      protocols,
      options
    );

    handshake.start();

    return handshake.settings;
  }

  /**
   * The arguments after the address: the subprotocols and the options, which
   * may have them and may come alone.
   *
   * @param {(string|string[]|Object)} [protocols]
   * @param {Object} [options]
   * @return {[*[], Object]}
   */
  static sortArguments(protocols, options) {
    const hasOptionsSecond =
      typeof protocols === 'object' &&
      protocols !== null &&
      !Array.isArray(protocols);

    if (hasOptionsSecond) {
      options = protocols;
      protocols = undefined;
    }

    if (protocols === undefined) protocols = options?.protocols;
    if (protocols === undefined) protocols = [];
    return [Array.isArray(protocols) ? protocols : [protocols], options];
  }

  /**
   * @param {WebSocket} websocket
   * @param {(string|URL)} address
   * @param {*[]} protocols The subprotocols to offer
   * @param {Object} [options] The user's
   * @param {Object} [origin] After a redirect: where the first one went
   * @throws {(SyntaxError|RangeError)} If an argument is invalid
   */
  constructor(websocket, address, protocols, options, origin = null) {
    /** The options of the request, and what they default to. */
    this.settings = resolveSettings(options);

    this._websocket = websocket;
    this._address = address;
    this._protocols = protocols;
    this._options = options;
    this._origin = origin;

    this._isDone = false;
    /** The request, if it is Node's; and if not. */
    this._request = null;
    this._dial = null;
    this._timer = null;

    const url = parseUrl(address);

    websocket._url = url.href;
    checkUrl(url);

    this._url = url;
    this._isIpc = url.protocol === 'ws+unix:';
    this._isSecure = url.protocol === 'wss:';
    this._offer = this._createOffer(protocols);

    setTarget(this.settings, url);
    this._host = this._isIpc ? this.settings.socketPath : url.host;
    this._offer.setHeaders(this.settings);
  }

  _createOffer(protocols) {
    return new ClientOffer(this.settings, protocols);
  }

  /** Sends the request. */
  start() {
    const websocket = this._websocket;

    websocket[kHandshake] = this;

    if (this.settings.followRedirects) this._prepareRedirects();

    if (
      nativeRequest.isPossible(this._options, this.settings, this._isSecure)
    ) {
      this._dial = this._startDial();
      this._startTimer();
      return;
    }

    const request = this._createRequest();

    if (websocket._redirects > 0) {
      emitGuarded(websocket, 'redirect', websocket.url, request);
    }

    this._listen(request);
    // A listener of 'redirect' may have closed the WebSocket.
    if (!this._isDone) this._startTimer();

    if (this.settings.finishRequest) {
      this.settings.finishRequest(request, websocket);
    } else {
      request.end();
    }
  }

  /** Sends the request over a connection of the engine. */
  _startDial() {
    return dial(nativeRequest.create(this.settings), {
      onError: (err) => this._onError(err),
      onResponse: (request, res) => this._onResponse(request, res),
      onUpgrade: (res, connection) =>
        this._onUpgrade(res, connection, (options) =>
          this._websocket[kOpen](connection, options)
        )
    });
  }

  /**
   * The http.ClientRequest. Once accessed, Node sends it, if it is not sent yet,
   * and reads the answer.
   */
  get request() {
    return this._dial === null
      ? this._request
      : (this._dial.request ?? this._leaveToNode());
  }

  _leaveToNode() {
    const { _dial: dial } = this;

    // It has failed.
    if (this._isDone) return null;

    dial.destroy();
    this._dial = null;

    return dial.run(() => {
      const request = this._createRequest();

      reportAbort(request);
      this._listen(request);
      request.end();

      return request;
    });
  }

  _createRequest() {
    this._request = nodeRequest.create(this.settings, this._isSecure);

    return this._request;
  }

  /** However busy the server keeps us, the handshake ends in time. */
  _startTimer() {
    const { timeout } = this.settings;

    if (!timeout) return;

    this._timer = timers.setTimeout(
      () => this.abort('Opening handshake has timed out'),
      Math.min(timeout, MAX_DELAY)
    );
    this._timer.unref();
  }

  _listen(request) {
    request.on('error', (err) => this._onError(err));
    request.on('response', (res) => this._onResponse(request, res));
    request.on('upgrade', (res, socket, head) =>
      this._onUpgrade(res, socket, (options) =>
        this._websocket.setSocket(socket, head, socketOptionsOf(options, false))
      )
    );
  }

  _onError(err) {
    if (this._isDone) return;

    this._finish();
    this._websocket[kClosing].fail(err);
  }

  _onResponse(request, res) {
    const { followRedirects } = this.settings;
    const { location } = res.headers;

    if (
      location &&
      followRedirects &&
      res.statusCode >= 300 &&
      res.statusCode < 400
    ) {
      this._redirect(location);
      return;
    }

    const websocket = this._websocket;

    // A listener has the time that is left to read the response.
    res.once('close', () => timers.clearTimeout(this._timer));

    if (!emitGuarded(websocket, 'unexpected-response', request, res)) {
      this.abort(`Unexpected server response: ${res.statusCode}`);
    }
  }

  /** Goes on with the handshake, over a socket or a connection. */
  _onUpgrade(res, connection, open) {
    const websocket = this._websocket;

    emitGuarded(websocket, 'upgrade', res);

    // A listener may have closed the WebSocket.
    if (websocket._readyState !== readyStates.CONNECTING) return;

    this._finish();

    const fault = this._offer.validateResponse(res.headers, websocket);

    if (fault) {
      this._refuse(connection, new Error(fault));
      return;
    }

    const { settings } = this;

    open({
      allowSynchronousEvents: settings.allowSynchronousEvents,
      generateMask: settings.generateMask,
      maxBufferedChunks: settings.maxBufferedChunks,
      maxFragments: settings.maxFragments,
      maxPayload: settings.maxPayload,
      skipUTF8Validation: settings.skipUTF8Validation
    });
  }

  /**
   * The answer is none: 'error' tells so, and 'close' that the socket is closed. If a
   * listener of 'upgrade' has destroyed it, that had its own reason, or none.
   */
  _refuse(connection, err) {
    const websocket = this._websocket;
    const socket = connection.socket ?? connection;

    websocket[kClosing].begin();
    connection.destroy(err);
    socket.once('error', (reason) => websocket[kClosing].reportFailure(reason));
    socket.once('close', () => websocket.emitClose());
  }

  /** Gives up because the WebSocket is closed. */
  abandon() {
    this.abort('WebSocket was closed before the connection was established');
  }

  /**
   * Gives up.
   *
   * @param {string} message Of the error to emit
   */
  abort(message) {
    const websocket = this._websocket;
    const err = new Error(message);

    Error.captureStackTrace(err, this.abort);

    websocket[kClosing].begin();
    this._isDone = true;
    timers.clearTimeout(this._timer);
    this._cancelRequest();
    process.nextTick(fail, websocket, err);
  }

  _cancelRequest() {
    const { _request: request } = this;

    if (request === null) {
      this._dial.destroy();
    } else {
      request.abort();
      // One that is complete leaves its socket alone when it is aborted.
      request.socket?.destroy();
    }
  }

  _finish() {
    this._isDone = true;
    timers.clearTimeout(this._timer);
    this._websocket[kHandshake] = null;
  }

  _redirect(location) {
    const websocket = this._websocket;

    if (++websocket._redirects > this.settings.maxRedirects) {
      this.abort('Maximum redirects exceeded');
      return;
    }

    this._isDone = true;
    timers.clearTimeout(this._timer);
    this._request.abort();

    let next;

    try {
      next = new ClientHandshake(
        websocket,
        redirect.checkTarget(createUrl(location, this._address), this._url),
        this._protocols,
        this._options,
        this._origin
      );
    } catch (err) {
      websocket[kClosing].fail(err);
      return;
    }

    next.start();
  }

  /** Remembers, or minds, where the first handshake went. */
  _prepareRedirects() {
    const here = {
      host: this._host,
      isIpc: this._isIpc,
      isSecure: this._isSecure
    };

    if (this._origin === null) {
      this._origin = here;
      this._options = redirect.withOwnHeaders(this._options);
    } else if (this._websocket.listenerCount('redirect') === 0) {
      redirect.dropCredentials(this.settings, this._origin, here);
    }

    redirect.keepCredentials(this._options.headers, this.settings.auth);
  }
}

function fail(websocket, err) {
  websocket[kClosing].fail(err);
}

module.exports = ClientHandshake;
