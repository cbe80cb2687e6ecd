'use strict';

const { bridge } = require('./native/bridge');
const native = require('./native/addon');
const DeflateContext = require('./native/deflate-context');
const { toBuffer } = require('./payload');
const { kContexts } = require('./constants');

const MAX_WINDOW_BITS = 15;

const DEFAULT_JOBS = 10;
const MAX_JOBS = 0xffffffff;

/**
 * The parameters of RFC 7692, section 7.1, and what their values may be.
 * `isServer` tells who reads: only an offer may ask for
 * `client_max_window_bits` without a value.
 */
const PARAMETERS = {
  server_no_context_takeover: readFlag,
  client_no_context_takeover: readFlag,
  server_max_window_bits: readWindowBits,
  client_max_window_bits: (value, isServer) =>
    value === true && isServer ? true : readWindowBits(value)
};

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
    /** @type {Object<string, (boolean|number)>} */
    const params = {};

    if (options.serverNoContextTakeover) {
      params.server_no_context_takeover = true;
    }
    if (options.clientNoContextTakeover) {
      params.client_no_context_takeover = true;
    }
    if (options.serverMaxWindowBits) {
      params.server_max_window_bits = options.serverMaxWindowBits;
    }

    const clientMaxWindowBits = options.clientMaxWindowBits ?? true;

    if (clientMaxWindowBits) {
      params.client_max_window_bits = clientMaxWindowBits;
    }

    return params;
  }

  /**
   * Settles the parameters, from what the peer sent.
   *
   * @param {Object<string, (string|true)[]>[]} configurations Offers of a
   *     client or the answer of a server, as `extension.parse()` returns them
   * @return {Object<string, (boolean|number)>}
   * @throws {Error} If they are malformed or not acceptable
   */
  accept(configurations) {
    for (const params of configurations) readParams(params, this._isServer);

    this.params = this._isServer
      ? this._acceptOffer(configurations)
      : this._acceptAnswer(configurations[0]);

    return this.params;
  }

  _acceptOffer(offers) {
    const options = this._options;
    const params = offers.find((offer) => isAcceptable(offer, options));

    if (!params) {
      throw new Error('None of the extension offers can be accepted');
    }

    if (options.serverNoContextTakeover) {
      params.server_no_context_takeover = true;
    }
    if (options.clientNoContextTakeover) {
      params.client_no_context_takeover = true;
    }
    if (typeof options.serverMaxWindowBits === 'number') {
      params.server_max_window_bits = options.serverMaxWindowBits;
    }

    if (typeof options.clientMaxWindowBits === 'number') {
      params.client_max_window_bits = options.clientMaxWindowBits;
    } else if (
      params.client_max_window_bits === true ||
      options.clientMaxWindowBits === false
    ) {
      delete params.client_max_window_bits;
    }

    return params;
  }

  _acceptAnswer(params) {
    const { clientMaxWindowBits, clientNoContextTakeover } = this._options;
    const isLimited = typeof clientMaxWindowBits === 'number';
    const answered = params.client_max_window_bits;

    if (
      clientNoContextTakeover === false &&
      params.client_no_context_takeover
    ) {
      throw new Error('Unexpected parameter "client_no_context_takeover"');
    }

    if (!answered) {
      if (isLimited) params.client_max_window_bits = clientMaxWindowBits;
    } else if (
      clientMaxWindowBits === false ||
      (isLimited && answered > clientMaxWindowBits)
    ) {
      throw new Error(
        'Unexpected or invalid parameter "client_max_window_bits"'
      );
    }

    return params;
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

/** Replaces the values of an offer or answer by what they mean. */
function readParams(params, isServer) {
  for (const [name, values] of Object.entries(params)) {
    if (values.length > 1) {
      throw new Error(`Parameter "${name}" must have only a single value`);
    }

    if (!Object.hasOwn(PARAMETERS, name)) {
      throw new Error(`Unknown parameter "${name}"`);
    }

    const value = PARAMETERS[name](values[0], isServer);

    if (value === undefined) {
      throw new TypeError(
        `Invalid value for parameter "${name}": ${values[0]}`
      );
    }

    params[name] = value;
  }
}

function readFlag(value) {
  return value === true ? true : undefined;
}

function readWindowBits(value) {
  const windowBits = value === true ? NaN : Number(value);
  const isValid =
    Number.isInteger(windowBits) &&
    windowBits >= 8 &&
    windowBits <= MAX_WINDOW_BITS;

  return isValid ? windowBits : undefined;
}

/** Tells whether a server with these options can live with an offer. */
function isAcceptable(offer, options) {
  const { clientMaxWindowBits, serverMaxWindowBits } = options;
  const serverWindow = offer.server_max_window_bits;
  const clientWindow = offer.client_max_window_bits;

  if (
    offer.server_no_context_takeover &&
    options.serverNoContextTakeover === false
  ) {
    return false;
  }

  if (
    serverWindow &&
    (serverMaxWindowBits === false ||
      (typeof serverMaxWindowBits === 'number' &&
        serverMaxWindowBits > serverWindow))
  ) {
    return false;
  }

  if (typeof clientMaxWindowBits !== 'number') return true;

  return clientWindow === true || clientWindow >= clientMaxWindowBits;
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
