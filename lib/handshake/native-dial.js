'use strict';

const dns = require('dns');
const http = require('http');
const net = require('net');

const native = require('../native/addon');
const { bridge, kinds } = require('../native/bridge');
const { ConnectionResource } = require('../native/async-context');
const { UpgradeResponse } = require('./upgrade-message');
const NativeConnection = require('../connection/native-connection');
const {
  codeOf,
  createAggregate,
  createClosing,
  createHangUp,
  createSystemError,
  errnoOf
} = require('../errors/system-errors');
const timers = require('../node/timers');
const { NativeUpgradeSocket } = require('./upgrade-socket');
const withZone = require('./link-local');

const { CLOSED, CONNECTED, END, NOT_AN_UPGRADE, HEAD } = kinds;

/**
 * An opening handshake over a connection that the engine dials. The program never
 * sees it: if `request` is accessed, that is one of Node's.
 */
class NativeDial {
  constructor(options, handlers) {
    this._options = options;
    this._handlers = handlers;
    this._resource = new ConnectionResource(
      options.socketPath === undefined ? 'TCPWRAP' : 'PIPEWRAP'
    );
    this._connection = null;
    this._attempt = null;
    this._timer = null;
    /** The request is sent. */
    this._isSent = false;
    /** What came of it, if that was a clean 101. */
    this._response = null;
    /** Node's request, once it is accessed or the answer is not a clean 101. */
    this._request = null;
    this._done = false;
  }

  /**
   * The request of Node's that stands for this one, created lazily. Null as long
   * as nothing has been sent: then Node should send it.
   *
   * @return {?http.ClientRequest}
   */
  get request() {
    if (this._request === null) {
      if (this._response !== null) this._request = this._createAnswered();
      else if (this._isSent && !this._done) this._handToNode(null);
    }

    return this._request;
  }

  /** Gives up. No handler is called any more. */
  destroy() {
    this._done = true;
    timers.clearTimeout(this._timer);
    if (this._request !== null) this._request.abort();
    if (this._connection !== null) this._connection.destroy();
  }

  /** Calls a function in the async context that the dial was begun in. */
  run(fn) {
    return this._resource.runInAsyncScope(fn);
  }

  start() {
    // As of http.request(): neither is without a name.
    const { port, socketPath, family } = this._options;
    const host = this._options.host || 'localhost';

    if (socketPath) {
      this._connect([{ path: socketPath }]);
    } else if (net.isIP(host)) {
      this._connect([{ address: host, port }]);
    } else {
      const isOneFamily = family === 4 || family === 6;
      const hints = isOneFamily ? 0 : dns.ADDRCONFIG;

      dns.lookup(host, { all: true, family, hints }, (err, addresses) => {
        if (this._done) return;
        if (err) this._fail(err);
        else this._connect(toTry(addresses, port, isOneFamily));
      });
    }

    return this;
  }

  /** Tries one address after the other, as `net.connect` does it. */
  _connect(addresses) {
    const errors = [];
    const next = () => {
      if (this._done) return;

      const index = errors.length;

      if (index === addresses.length) {
        this._fail(
          addresses.length === 1 ? errors[0] : createAggregate(errors)
        );
      } else {
        this._try(addresses[index], index < addresses.length - 1, (err) => {
          errors.push(err);
          next();
        });
      }
    };

    // Nobody listens before the constructor has returned.
    timers.nextTick(next);
  }

  _try(target, hasNext, onFailure) {
    const { address = target.path, port } = target;
    const id = dialTarget(target);
    const fail = (errno, local) =>
      onFailure(createSystemError(errno, 'connect', address, port, local));

    if (typeof id === 'object') {
      const later =
        target.path === undefined ? timers.nextTick : timers.setImmediate;

      // Node hears what becomes of a pipe from the event loop.
      later(fail, id.errno, localEnd(target, id));
      return;
    }

    const connection = new NativeConnection(id, this._resource);

    this._connection = this._resource.connection = connection;

    connection.listen((kind, value) => {
      if (kind === CONNECTED) {
        timers.clearTimeout(this._timer);
        connection.listen((kind, value, data) =>
          this._onEvent(kind, value, data)
        );
        connection.write([Buffer.from(this._options.head, 'latin1')]);
        this._isSent = true;
      } else if (kind === CLOSED) {
        timers.clearTimeout(this._timer);
        if (!this._done) fail(-value);
      }
    });

    if (hasNext) {
      this._timer = timers.setTimeout(() => {
        connection.listen(null);
        connection.destroy();
        fail(errnoOf('ETIMEDOUT'));
      }, net.getDefaultAutoSelectFamilyAttemptTimeout());
    }
  }

  _onEvent(kind, value, data) {
    if (this._done) return;

    if (kind === HEAD) {
      const connection = this._connection;

      connection.listen(null);
      this._done = true;
      this._response = new UpgradeResponse(connection, data);
      this._handlers.onUpgrade(
        this._response,
        new NativeUpgradeSocket(connection).open()
      );
    } else if (kind === NOT_AN_UPGRADE) {
      this._handToNode(data);
    } else if (kind === END) {
      this._connection.destroy();
      this._fail(createHangUp());
    } else if (kind === CLOSED) {
      this._fail(value === 0 ? createHangUp() : createClosing(value));
    }
  }

  _fail(err) {
    if (this._done) return;

    this._done = true;
    this._handlers.onError(err);
  }

  /** A request of Node's, for one that was sent. */
  _createRequest(createConnection) {
    const { settings } = this._options;

    return /** @type {any} */ (
      this.run(() => http.request({ ...settings, createConnection }))
    );
  }

  /** It has had its answer: nothing happens to it any more, but its end. */
  _createAnswered() {
    const request = this._createRequest(() => {});

    request.end();
    request.res = this._response;
    request.socket = this._connection.socket;
    timers.nextTick(() => {
      request.destroyed = true;
      request.emit('close');
    });

    return request;
  }

  /**
   * Has Node's http client read the answer, whatever it is: a request that was
   * sent already, over this connection.
   *
   * @param {?Buffer} bytes What has come of it, if that was reported
   */
  _handToNode(bytes) {
    const { socket } = this._connection;
    const request = this._createRequest(() => socket);

    this._request = request;
    this._connection.listen(null);
    this._connection.startPassthrough(bytes === null);
    // As if it had got it when it was made.
    request.socket = socket;
    socket.discardWrites(true);
    // As the one that Node would have made: it ends when the server has.
    socket.allowHalfOpen = false;

    reportAbort(request);
    request.on('error', (err) => this._fail(err));
    request.on('response', (response) => {
      if (!this._done) this._handlers.onResponse(request, response);
    });
    request.on('upgrade', (response, _, head) => {
      this._connection.passthrough.end((unread) => {
        if (this._done) return;

        this._done = true;
        socket.discardWrites(false);
        socket.allowHalfOpen = true;
        this._handlers.onUpgrade(
          response,
          new NativeUpgradeSocket(
            this._connection,
            Buffer.concat([head, unread])
          ).open()
        );
      });
    });
    request.end();
    if (bytes !== null) this._connection.passthrough.receive(bytes);
  }
}

/**
 * Has a request that is aborted before its answer fail, as one does which has
 * its socket: this one gets it a tick after it was made.
 *
 * @param {http.ClientRequest} request
 */
function reportAbort(request) {
  let hasFailed = false;

  request.on('error', () => (hasFailed = true));
  request.on('close', () => {
    const { aborted, res } = /** @type {any} */ (request);

    if (aborted && !res && !hasFailed) {
      request.emit('error', createHangUp());
    }
  });
}

function dialTarget({ address, port, path }) {
  return path === undefined
    ? native.dialTcp(bridge.id, withZone(address), port, http.maxHeaderSize)
    : native.dialUnix(bridge.id, path, http.maxHeaderSize);
}

/**
 * What Node says of our end when it cannot begin to connect: nothing of a pipe,
 * and of an address that refuses, as it hears of both later. It names the end
 * of a socket that it could not make, too.
 */
function localEnd({ path }, failure) {
  const isLate = path !== undefined || codeOf(failure.errno) === 'ECONNREFUSED';

  return isLate
    ? undefined
    : `${failure.local?.address}:${failure.local?.port}`;
}

/**
 * The first of the addresses, where Node selects no family; else all, the families
 * in turns, beginning with that of the first.
 */
function toTry(addresses, port, isOneFamily) {
  if (isOneFamily || !net.getDefaultAutoSelectFamily()) {
    return [{ address: addresses[0].address, port }];
  }

  const family = addresses[0].family;
  const first = addresses.filter((address) => address.family === family);
  const others = addresses.filter((address) => address.family !== family);
  const targets = [];

  for (let i = 0; i < Math.max(first.length, others.length); i++) {
    for (const list of [first, others]) {
      if (i < list.length) targets.push({ address: list[i].address, port });
    }
  }

  return targets;
}

/**
 * Opens a connection through the engine.
 *
 * @param {Object} options
 * @param {string} options.head The whole request head
 * @param {Object} options.settings The options of `http.request()`
 * @param {string} [options.host]
 * @param {number} [options.port]
 * @param {string} [options.socketPath]
 * @param {number} [options.family]
 * @param {Object} handlers
 * @param {function(http.IncomingMessage, NativeConnection): void} handlers.onUpgrade
 * @param {(request: http.ClientRequest, response: http.IncomingMessage) => void
 *     } handlers.onResponse
 * @param {function(Error): void} handlers.onError
 * @return {NativeDial}
 */
function dial(options, handlers) {
  return new NativeDial(options, handlers).start();
}

module.exports = { dial, reportAbort };
