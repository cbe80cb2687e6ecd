'use strict';

const slotOf = require('./redis-slots');
const Unanswered = require('./unanswered');

// What differs between the clients of ioredis and of node-redis.

/**
 * @callback OnMessage
 * @param {Buffer} bytes
 * @param {Buffer} channel
 */

/** A `Redis`, or a `Cluster`, of ioredis. */
class Ioredis {
  constructor(client, isSharded) {
    this._client = client;
    this._isSharded = isSharded;
    this._event = isSharded ? 'smessageBuffer' : 'messageBuffer';
    this._listener = null;
    this._unanswered =
      client.options?.autoResendUnfulfilledCommands === false
        ? new Unanswered(client)
        : null;
  }

  publish(channel, bytes) {
    return this._settling(
      this._isSharded
        ? this._client.spublish(channel, bytes)
        : this._client.publish(channel, bytes)
    );
  }

  /** @return {string|undefined} The node of a cluster that the channel goes by */
  nodeOf(channel) {
    if (this._isSharded && this._client.slots) {
      return this._client.slots[slotOf(channel)]?.[0];
    }
  }

  /** @param {OnMessage} onMessage Gets what comes for any channel */
  start(onMessage) {
    this._listener = (channel, bytes) => onMessage(bytes, channel);
    this._client.on(this._event, this._listener);
  }

  subscribe(channel) {
    return this._settling(
      this._isSharded
        ? this._client.ssubscribe(channel)
        : this._client.subscribe(channel)
    );
  }

  unsubscribe(channel) {
    return this._settling(
      this._isSharded
        ? this._client.sunsubscribe(channel)
        : this._client.unsubscribe(channel)
    );
  }

  stop() {
    if (this._listener) this._client.off(this._event, this._listener);
    this._unanswered?.stop();
  }

  _settling(promise) {
    return this._unanswered?.watch(promise) ?? promise;
  }
}

/** A client, or a cluster, of node-redis. */
class NodeRedis {
  constructor(client, isSharded) {
    this._client = client;
    this._isSharded = isSharded;
    this._listener = null;
  }

  publish(channel, bytes) {
    return this._isSharded
      ? this._client.sPublish(channel, bytes)
      : this._client.publish(channel, bytes);
  }

  /** @return {string|undefined} The node of a cluster that the channel goes by */
  nodeOf(channel) {
    if (this._isSharded && this._client.slots) {
      return this._client.slots[slotOf(channel)]?.master.address;
    }
  }

  /** @param {OnMessage} onMessage */
  start(onMessage) {
    this._listener = onMessage;
  }

  subscribe(channel) {
    return this._isSharded
      ? this._client.sSubscribe(channel, this._listener, true)
      : this._client.subscribe(channel, this._listener, true);
  }

  unsubscribe(channel) {
    return this._isSharded
      ? this._client.sUnsubscribe(channel, this._listener, true)
      : this._client.unsubscribe(channel, this._listener, true);
  }

  stop() {}
}

/**
 * @param {string} name Of the option
 * @param {any} client
 * @param {boolean} isSharded
 * @return {Ioredis|NodeRedis}
 * @throws {TypeError} If it is a client of neither
 */
function clientOf(name, client, isSharded) {
  if (typeof client?.sSubscribe === 'function') {
    return new NodeRedis(client, isSharded);
  }

  if (typeof client?.ssubscribe === 'function') {
    return new Ioredis(client, isSharded);
  }

  throw new TypeError(
    `The option "${name}" must be a client of ioredis or of redis`
  );
}

module.exports = clientOf;
