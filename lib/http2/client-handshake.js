'use strict';

const { validateHeaderValue } = require('http');

const ClientHandshake = require('../handshake/client-handshake');
const ClientOffer = require('../handshake/client-offer');
const { resolveSettings } = require('../handshake/client-options');
const { kHandshake, kOpen } = require('../constants');
const checkOptions = require('./check-options');
const { cancel } = require('./connection');
const { fieldsOf, linesOf } = require('./fields');
const { ConnectResponse, RefusalResponse } = require('./messages');
const { isEnabled, onceKnown } = require('./settings');
const Http2UpgradeSocket = require('./upgrade-socket');

/** @typedef {import('../websocket')} WebSocket */

/** What a client asks for: without a key (RFC 8441, section 5). */
class ConnectOffer extends ClientOffer {
  _createUpgrade() {
    return {};
  }

  /** @return {undefined} */
  _validateUpgrade() {}
}

/**
 * The client's half of an opening handshake over a session of HTTP/2 (RFC 8441,
 * section 4).
 */
class Http2ClientHandshake extends ClientHandshake {
  /**
   * The options of a client with what they default to.
   *
   * @param {Object} [options] The user's
   * @return {Object}
   * @throws {(TypeError|RangeError)} If one of them is not for this
   */
  static resolveOptions(options) {
    checkOptions(options);

    return resolveSettings(options);
  }

  /**
   * @param {WebSocket} websocket
   * @param {any} session A ClientHttp2Session of Node's
   * @param {(string|URL)} address
   * @param {*[]} protocols
   * @param {Object} [options]
   * @throws {(SyntaxError|RangeError)} If an argument is invalid
   */
  constructor(websocket, session, address, protocols, options) {
    super(websocket, address, protocols, options);

    if (this._isIpc) {
      throw new SyntaxError('The URL of a WebSocket over HTTP/2 has a host');
    }

    this._session = session;
  }

  _createOffer(protocols) {
    return new ConnectOffer(this.settings, protocols);
  }

  start() {
    this._websocket[kHandshake] = this;
    this._startTimer();
    onceKnown(this._session, () => {
      if (!this._isDone) this._sendRequest();
    });
  }

  _sendRequest() {
    let stream;

    try {
      stream = this._createStream();
    } catch (err) {
      this._onError(err);
      return;
    }

    const socket = new Http2UpgradeSocket(stream);
    const onClose = () =>
      this._onError(new Error('The stream was closed before it was open'));

    this._request = stream;
    stream.on('error', (err) => this._onError(err));
    stream.once('close', onClose);
    stream.once('response', (headers) => {
      stream.removeListener('close', onClose);
      this._onHeaders(socket, headers);
    });
  }

  _createStream() {
    const { _session: session } = this;

    if (!session.destroyed && !isEnabled(session)) {
      throw new Error('The server does not take WebSockets over HTTP/2');
    }

    return session.request(this._createHeaders(), { endStream: false });
  }

  _createHeaders() {
    const { auth, headers, path } = this.settings;
    const { host = this._host, ...fields } = fieldsOf(
      linesOf(headers),
      'latin1'
    );

    for (const [name, values] of Object.entries(headers)) {
      for (const value of [values].flat()) validateHeaderValue(name, value);
    }

    if (auth) {
      fields.authorization ??= `Basic ${Buffer.from(auth).toString('base64')}`;
    }

    return {
      ...fields,
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': this._isSecure ? 'https' : 'http',
      ':authority': host,
      ':path': path
    };
  }

  _onHeaders(socket, headers) {
    const { socket: stream } = socket;
    const status = headers[':status'];

    if (status < 200 || status > 299) {
      this._onResponse(stream, new RefusalResponse(stream, headers));
      return;
    }

    const connection = socket.open();

    this._onUpgrade(
      new ConnectResponse(stream, headers),
      connection,
      (options) => this._websocket[kOpen](connection, options)
    );
  }

  _cancelRequest() {
    if (this._request !== null) cancel(this._request);
  }
}

module.exports = Http2ClientHandshake;
