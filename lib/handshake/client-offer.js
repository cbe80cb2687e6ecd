'use strict';

const extension = require('../extension');
const native = require('../native/addon');
const PerMessageDeflate = require('../permessage-deflate');
const { checkProtocols } = require('./client-options');

const DEFLATE = PerMessageDeflate.extensionName;

/**
 * What a client asks a server for, and whether the response answers it (RFC
 * 6455, section 4.1).
 *
 * @typedef {import('http').IncomingHttpHeaders} Headers
 * @typedef {import('../websocket')} WebSocket
 */
class ClientOffer {
  /**
   * @param {Object} settings Of the request
   * @param {*[]} protocols
   * @throws {SyntaxError} If one is no subprotocol's name, or there twice
   */
  constructor({ maxPayload, perMessageDeflate }, protocols) {
    this._protocols = checkProtocols(protocols);
    this._deflate = perMessageDeflate
      ? new PerMessageDeflate({
          ...perMessageDeflate,
          isServer: false,
          maxPayload
        })
      : null;
    this._key = native.generateKey();
  }

  /** Adds the header fields that say so, and those that go with them. */
  setHeaders(settings) {
    const { origin, protocolVersion } = settings;
    const headers = {
      ...settings.headers,
      'Sec-WebSocket-Version': protocolVersion,
      ...this._createUpgrade()
    };

    if (this._deflate !== null) {
      headers['Sec-WebSocket-Extensions'] = extension.format({
        [DEFLATE]: this._deflate.offer()
      });
    }

    if (this._protocols.size > 0) {
      headers['Sec-WebSocket-Protocol'] = [...this._protocols].join(',');
    }

    if (origin) {
      headers[protocolVersion < 13 ? 'Sec-WebSocket-Origin' : 'Origin'] =
        origin;
    }

    settings.headers = headers;
  }

  /**
   * The fields that ask for another protocol.
   *
   * @return {Object<string, string>}
   */
  _createUpgrade() {
    return {
      'Sec-WebSocket-Key': this._key,
      Connection: 'Upgrade',
      Upgrade: 'websocket'
    };
  }

  /**
   * Checks what the server answered, and has the WebSocket take over what it
   * chose.
   *
   * @param {Headers} headers
   * @param {WebSocket} websocket
   * @return {(string|undefined)} What is wrong
   */
  validateResponse(headers, websocket) {
    return (
      this._validateUpgrade(headers) ||
      this._validateProtocol(headers['sec-websocket-protocol'], websocket) ||
      this._validateExtensions(headers['sec-websocket-extensions'], websocket)
    );
  }

  /**
   * @param {Headers} headers
   * @return {(string|undefined)} What is wrong
   */
  _validateUpgrade(headers) {
    if (headers.upgrade?.toLowerCase() !== 'websocket') {
      return 'Invalid Upgrade header';
    }

    if (headers['sec-websocket-accept'] !== native.acceptKey(this._key)) {
      return 'Invalid Sec-WebSocket-Accept header';
    }
  }

  _validateProtocol(protocol, websocket) {
    const offered = this._protocols;

    if (protocol === undefined) {
      return offered.size > 0 ? 'Server sent no subprotocol' : undefined;
    }

    if (offered.size === 0) {
      return 'Server sent a subprotocol but none was requested';
    }

    if (!offered.has(protocol)) return 'Server sent an invalid subprotocol';

    websocket._protocol = protocol;
  }

  _validateExtensions(header, websocket) {
    const deflate = this._deflate;

    if (header === undefined) return;

    if (deflate === null) {
      return (
        'Server sent a Sec-WebSocket-Extensions header but no extension was ' +
        'requested'
      );
    }

    try {
      const extensions = extension.parse(header);

      if (Object.keys(extensions).join() !== DEFLATE) {
        return 'Server indicated an extension that was not requested';
      }

      deflate.accept(extensions[DEFLATE]);
    } catch {
      return 'Invalid Sec-WebSocket-Extensions header';
    }

    websocket._extensions = { [DEFLATE]: deflate };
  }
}

module.exports = ClientOffer;
