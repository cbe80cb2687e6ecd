'use strict';

const { IncomingMessage } = require('http');

const { cancel } = require('./connection');

/**
 * The constructor sets `socket` and takes what has no socket yet too; the
 * parser adds header lines by a method that is not documented.
 *
 * @type {any}
 */
const Message = IncomingMessage;

/**
 * An http.IncomingMessage made of the headers of an HTTP/2 stream, for programs
 * that know those of HTTP/1.1.
 */
class Http2Message extends Message {
  /**
   * @param {any} stream An Http2Stream of Node's
   * @param {Object<string, (string|string[])>} headers
   */
  constructor(stream, headers) {
    super();

    Object.defineProperty(this, 'stream', { value: stream });
    this.httpVersion = '2.0';
    this.httpVersionMajor = 2;
    this.httpVersionMinor = 0;

    const pairs = pairsOf(headers);

    this._addHeaderLines(pairs, pairs.length);
  }

  /**
   * That of the session, as it shows it; the stream once there is no session
   * any more.
   */
  get socket() {
    // The constructor of IncomingMessage asks, too.
    const { stream } = this;
    const session = stream?.session;

    return !session || session.destroyed ? stream : session.socket;
  }

  set socket(socket) {}

  get client() {
    return this.socket;
  }

  set client(socket) {}

  // That of IncomingMessage sees to the socket, which is not for one stream.
  _read() {}

  _destroy(err, callback) {
    if (!this.complete) cancel(this.stream);

    callback(err);
  }
}

/** The request for a WebSocket (RFC 8441, section 4). */
class ConnectRequest extends Http2Message {
  constructor(stream, headers) {
    super(stream, headers);
    this.method = headers[':method'];
    // What is meant for a proxy has no path.
    this.url = headers[':path'] ?? headers[':authority'];
    this.upgrade = true;
    this.complete = true;
    this.push(null);
    // Where programs look for it.
    this.headers.host ??= headers[':authority'];
  }

  /** Who destroys the request wants the client to go. */
  _destroy(err, callback) {
    cancel(this.stream);
    callback(err);
  }
}

/** The response that opens a client's connection. */
class ConnectResponse extends Http2Message {
  constructor(stream, headers) {
    super(stream, headers);
    this.statusCode = headers[':status'];
    this.upgrade = true;
    this.complete = true;
    this.push(null);
  }
}

/** Any other response, with its body. */
class RefusalResponse extends Http2Message {
  constructor(stream, headers) {
    super(stream, headers);
    this.statusCode = headers[':status'];

    stream.on('data', (chunk) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.on('end', () => {
      this.complete = true;
      this.push(null);
    });
    stream.on('close', () => {
      if (!this.complete) this.destroy();
    });
    stream.pause();
  }

  _read() {
    this.stream.resume();
  }
}

/** Names and values in turn, a pair for each field. */
function pairsOf(headers) {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => [name, String(one)])
  );
}

module.exports = { ConnectRequest, ConnectResponse, RefusalResponse };
