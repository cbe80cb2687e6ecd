'use strict';

const { IncomingMessage } = require('http');
const { runInThisContext } = require('vm');

const { kConnection } = require('../constants');
const keepOwn = require('../node/keep-own');

/** @typedef {import('../connection/native-connection')} NativeConnection */

/**
 * The constructor sets `socket` and takes what has no socket yet too; the
 * parser adds header lines by a method that is not documented.
 *
 * @type {any}
 */
const Message = IncomingMessage;

/**
 * The lines of a head, in an array of Node's: where this is run in a context of
 * its own, as by Jest, arrays of another one are no instances of `Array` there.
 *
 * @type {function(string): string[]}
 */
const linesOf = runInThisContext("(text) => text.split('\\n')");

/**
 * The property of a message's own that Node's constructor sets: it outlasts
 * another prototype, which Express gives to requests.
 */
const SOCKET = {
  configurable: true,
  enumerable: true,
  get() {
    return this[kConnection].socket;
  },
  set(value) {
    keepOwn(this, 'socket', value);
  }
};

/**
 * An http.IncomingMessage made of the head that the engine read. Its socket is
 * made when somebody asks for it.
 */
class UpgradeMessage extends Message {
  /**
   * @param {NativeConnection} connection
   * @param {string[]} rawHeaders
   */
  constructor(connection, rawHeaders) {
    super();

    this[kConnection] = connection;
    Object.defineProperty(this, 'socket', SOCKET);
    this.httpVersion = '1.1';
    this.httpVersionMajor = 1;
    this.httpVersionMinor = 1;
    this._addHeaderLines(rawHeaders, rawHeaders.length);
    this.upgrade = true;
    this.complete = true;
    this.push(null);
  }

  // The constructor of IncomingMessage sets these two. One property in the place
  // of another would make a slow object.
  set socket(socket) {}

  get client() {
    return this.socket;
  }

  set client(socket) {}
}

/** The request that a client opens a connection with. */
class UpgradeRequest extends UpgradeMessage {
  /**
   * @param {NativeConnection} connection
   * @param {Buffer} head `url\nname\nvalue…` in Latin-1
   */
  constructor(connection, head) {
    const rawHeaders = linesOf(head.toString('latin1'));
    const url = rawHeaders.shift();

    super(connection, rawHeaders);
    this.method = 'GET';
    this.url = url;
  }
}

/** The response that opens a client's connection. */
class UpgradeResponse extends UpgradeMessage {
  /**
   * @param {NativeConnection} connection
   * @param {Buffer} head `statusMessage\nname\nvalue…` in Latin-1
   */
  constructor(connection, head) {
    const rawHeaders = linesOf(head.toString('latin1'));
    const statusMessage = rawHeaders.shift();

    super(connection, rawHeaders);
    this.statusCode = 101;
    this.statusMessage = statusMessage;
  }
}

module.exports = { UpgradeRequest, UpgradeResponse };
