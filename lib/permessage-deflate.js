'use strict';

const { bridge } = require('./native/bridge');
const native = require('./native/addon');
const DeflateContext = require('./native/deflate-context');
const { toBuffer } = require('./payload');
const { kContexts } = require('./constants');

const MAX_WINDOW_BITS = 15;

const DEFAULT_JOBS = 10;
const MAX_JOBS = 0xffffffff;

/** @typedef {(boolean | number | undefined)} WindowBits An option of that kind */

/** The permessage-deflate extension of one connection (RFC 7692). */
class PerMessageDeflate {
  /**
   * @param {Object} [options]
   * @param {(boolean|number)} [options.clientMaxWindowBits] Window of the
   *     client: what to ask for, or to announce
   * @param {boolean} [options.clientNoContextTakeover]
   * @param {boolean} [options.isServer=false]
   * @param {number} [options.maxPayload=0] Longest inflated message, in bytes;
   *     0 is no limit
   * @param {(boolean|number)} [options.serverMaxWindowBits] Window of the server
   * @param {boolean} [options.serverNoContextTakeover]
   * @param {number} [options.concurrencyLimit=10] How many long messages the
   *     process compresses and inflates at once. Only the first one counts
   * @param {number} [options.threshold=1024] Length below which a message is
   *     not compressed if each has to stand on its own
   * @param {{level: number, memLevel: number, strategy: number}}
   *     [options.zlibDeflateOptions] As in `zlib`
   * @param {Object} [options.zlibInflateOptions] Of no effect
   * @throws {RangeError} If one of zlib's options is not valid
   */
  constructor(options) {
    this._options = options || {};
    this._isServer = Boolean(this._options.isServer);
    this._maxPayload = this._options.maxPayload | 0;
    this._threshold =
      this._options.threshold === undefined ? 1024 : this._options.threshold;
    this._settings = deflateSettings(this._options.zlibDeflateOptions);
    limitJobs(this._options.concurrencyLimit);

    /** The contexts, once they are needed. */
    this._deflate = null;
    this._inflate = null;

    /** The negotiated parameters. @type {?Object} */
    this.params = null;
  }

  /** @type {string} */
  static get extensionName() {
    return 'permessage-deflate';
  }

  /**
   * The parameters that a client offers.
   *
   * @return {Object<string, (boolean|number)>}
   */
  offer() {
    const options = this._options;
    const offered = native.offerDeflate(...wishesOf(options));
    /** @type {Object<string, (boolean|number)>} */
    const params = {};

    if (offered & 1) params.server_no_context_takeover = true;
    if (offered & 2) params.client_no_context_takeover = true;
    if (offered & 4) {
      params.server_max_window_bits = options.serverMaxWindowBits;
    }
    if (offered & 8) {
      params.client_max_window_bits = options.clientMaxWindowBits ?? true;
    }

    return params;
  }

  /**
   * Agrees on the parameters, from what the peer sent.
   *
   * @param {Object<string, (string|true)[]>[]} configurations Offers of a
   *     client or the answer of a server, as `extension.parse()` returns them;
   *     their values are replaced by what they mean
   * @return {Object<string, (boolean|number)>}
   * @throws {Error} If they are malformed or not acceptable
   */
  accept(configurations) {
    const offers = [];

    configurations.forEach((params) => offers.push(partsOf(params)));

    const accepted = native.acceptDeflate(
      this._isServer,
      offers,
      ...limitsOf(this._options)
    );

    if (!Array.isArray(accepted)) {
      throw new (accepted.isTypeError ? TypeError : Error)(accepted.message);
    }

    configurations.forEach(createReplacer(accepted));
    this.params = configurations[Number(accepted[0])];

    return this.params;
  }

  /** What the contexts of both directions are made with. */
  get [kContexts]() {
    const { params } = this;
    const [own, peer] = this._isServer
      ? ['server', 'client']
      : ['client', 'server'];

    return {
      deflate: {
        ...this._settings,
        windowBits: params[`${own}_max_window_bits`] ?? MAX_WINDOW_BITS,
        reset: params[`${own}_no_context_takeover`] === true
      },
      inflate: {
        windowBits: params[`${peer}_max_window_bits`] ?? MAX_WINDOW_BITS,
        reset: params[`${peer}_no_context_takeover`] === true
      }
    };
  }

  /**
   * Compresses a message, or a fragment of one, on another thread.
   *
   * @param {(string|Uint8Array|ArrayBuffer)} data
   * @param {boolean} fin Whether this ends the message
   * @param {function(?Error, Buffer=): void} callback
   */
  compress(data, fin, callback) {
    const bytes = typeof data === 'string' ? data : toBuffer(data);

    this._deflate ??= new DeflateContext(
      new native.Deflater(this[kContexts].deflate),
      this._options.zlibDeflateOptions
    );

    const context = this._deflate;

    context.run(() => context.native.start(bridge.id, bytes, fin), callback);
  }

  /**
   * Decompresses a message, or a fragment of one, on another thread.
   *
   * @param {Uint8Array} data
   * @param {boolean} fin Whether this ends the message
   * @param {function(?Error, Buffer=): void} callback Not called any more after
   *     `cleanup()`
   */
  decompress(data, fin, callback) {
    const bytes = toBuffer(data);
    const maxLength = Math.max(this._maxPayload, 0);

    this._inflate ??= new DeflateContext(
      new native.Inflater(this[kContexts].inflate),
      this._options.zlibInflateOptions
    );

    const context = this._inflate;

    context.run(
      () => context.native.start(bridge.id, bytes, fin, maxLength),
      (err, output) => {
        if (err) this._freeInflate();
        callback(err, output);
      }
    );
  }

  _freeInflate() {
    this._inflate?.free();
    this._inflate = null;
  }

  /** Frees the contexts; what is not compressed yet will not be. */
  cleanup() {
    const deflate = this._deflate;

    this._freeInflate();
    this._deflate = null;

    for (const callback of deflate?.free() ?? []) {
      callback(
        new Error(
          'The deflate stream was closed while data was being processed'
        )
      );
    }
  }
}

let isLimited = false;

/** 0 is no limit, as in `ws`. */
function limitJobs(limit = DEFAULT_JOBS) {
  if (!isLimited) native.limitJobs(limit || MAX_JOBS);
  isLimited = true;
}

/**
 * The options that are negotiated, as `offer()` takes them: what is true is
 * asked for.
 *
 * @return {[boolean, boolean, WindowBits, WindowBits]}
 */
function wishesOf(options) {
  return [
    Boolean(options.serverNoContextTakeover),
    Boolean(options.clientNoContextTakeover),
    wish(options.serverMaxWindowBits),
    wish(options.clientMaxWindowBits)
  ];
}

function wish(bits = null) {
  if (typeof bits === 'number') return bits;

  return bits === null ? undefined : Boolean(bits);
}

/**
 * The same as `accept()` takes them: only `false` refuses, only a number limits.
 *
 * @return {[boolean | undefined, boolean | undefined, WindowBits, WindowBits]}
 */
function limitsOf(options) {
  return [
    flag(options.serverNoContextTakeover),
    flag(options.clientNoContextTakeover),
    limit(options.serverMaxWindowBits),
    limit(options.clientMaxWindowBits)
  ];
}

function flag(value) {
  return value === false ? false : Boolean(value) || undefined;
}

function limit(bits) {
  return typeof bits === 'number' || bits === false ? bits : undefined;
}

/** The names and values of an offer; a name is there as often as it has values. */
function partsOf(params) {
  const parts = [];

  for (const name of Object.keys(params)) {
    const values = params[name];

    parts.push(name, textOf(values[0]));
    if (values.length > 1) parts.push(name, textOf(values[1]));
  }

  return parts;
}

/** None stands for a parameter without a value. */
function textOf(value) {
  return value === true ? undefined : String(value);
}

/** Has offers mean what was accepted: names and values, and null after each. */
function createReplacer(accepted) {
  let next = 1;

  return (params) => {
    for (const name of Object.keys(params)) delete params[name];
    for (; accepted[next] !== null; next += 2) {
      params[accepted[next]] = accepted[next + 1];
    }
    next++;
  };
}

/**
 * zlib's settings, checked: the encoder takes them as they are. A `memLevel` of
 * 8, zlib's default, takes 37 KiB more a connection than one of 6, and saves
 * nothing of messages up to 16 KiB and 0.3 % of longer ones.
 */
function deflateSettings(options) {
  return {
    level: setting(options, 'level', -1, 9, -1),
    memLevel: setting(options, 'memLevel', 1, 9, 6),
    strategy: setting(options, 'strategy', 0, 4, 0)
  };
}

function setting(options, name, min, max, fallback) {
  const value = options?.[name] ?? fallback;

  if (!Number.isInteger(value) || value < min || value > max) {
    throw Object.assign(
      new RangeError(
        `The value of "zlibDeflateOptions.${name}" is out of range. ` +
          `It must be >= ${min} and <= ${max}. Received ${value}`
      ),
      { code: 'ERR_OUT_OF_RANGE' }
    );
  }

  return value;
}

module.exports = PerMessageDeflate;
