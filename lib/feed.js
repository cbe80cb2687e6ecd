'use strict';

const native = require('./native');
const { bridge, kinds, targets } = require('./bridge');
const { createViolation } = require('./errors');
const { kContexts } = require('./symbols');

const { TEXT, BINARY, CLOSE, PING, PONG, VIOLATION } = kinds;

/** Gives the endpoints of forgotten feeds back. */
const registry = new FinalizationRegistry((id) => bridge.free(id));

/** An endpoint whose bytes JavaScript carries. */
class Endpoint {
  /** @param {number} id */
  constructor(id) {
    this._id = id;
    registry.register(this, id, this);
  }

  /** @param {Object} options What a link is started with */
  static create(options) {
    return new Endpoint(
      native.createEndpoint(bridge.id, endpointOptions(options))
    );
  }

  /** Has `target.receive` called with what the bytes mean. */
  feed(chunk, target) {
    targets[this._id] = target;
    bridge.feed(this._id, chunk);
    targets[this._id] = undefined;
  }

  /** One frame of bytes to send. */
  frame(data, bits, key) {
    return bridge.frame(this._id, data, bits, key);
  }

  free() {
    registry.unregister(this);
    bridge.free(this._id);
  }
}

/** Tells a visitor what bytes mean. */
class Feed {
  /** @param {Object} options Those of an endpoint */
  constructor(options) {
    this.isFed = true;
    this._endpoint = Endpoint.create(options);
    this._visitor = null;
    this._thrown = null;
  }

  /**
   * Calls the methods of `visitor` for what `chunk` completes. What the first
   * one throws is thrown when all have been called.
   */
  feed(chunk, visitor) {
    this._visitor = visitor;
    this._endpoint.feed(chunk, this);

    const thrown = this._thrown;

    if (thrown !== null) {
      this._thrown = null;
      throw thrown.error;
    }
  }

  receive(events) {
    while (events.next()) {
      try {
        this._visit(events, this._visitor);
      } catch (error) {
        if (this._thrown === null) this._thrown = { error };
        else bridge.raise(error);
      }
    }
  }

  _visit(events, visitor) {
    const { kind, value } = events;

    if (kind === TEXT) visitor.message(events.data, false);
    else if (kind === BINARY) {
      visitor.message(events.data, true, events.fragments);
    } else if (kind === PING) visitor.ping(events.data);
    else if (kind === PONG) visitor.pong(events.data);
    else if (kind === CLOSE) visitor.conclude(value, events.data);
    else if (kind === VIOLATION) {
      visitor.violation(createViolation(value & 0xff, value >>> 8));
    }
  }
}

/**
 * What the addon wants to know of an endpoint.
 *
 * @param {Object} options
 * @param {boolean} options.isServer
 * @param {number} options.maxPayload 0 for no limit, as the next two
 * @param {number} options.maxFragments
 * @param {number} options.maxBufferedChunks
 * @param {boolean} options.skipUTF8Validation
 * @param {Object} options.extensions The negotiated ones
 */
function endpointOptions(options) {
  const { 'permessage-deflate': deflate } = options.extensions;

  return {
    isServer: options.isServer,
    maxPayload: options.maxPayload,
    maxFragments: options.maxFragments,
    maxBufferedChunks: options.maxBufferedChunks,
    skipUtf8Validation: options.skipUTF8Validation,
    deflate: deflate && deflate[kContexts]
  };
}

module.exports = { Endpoint, Feed, endpointOptions };
