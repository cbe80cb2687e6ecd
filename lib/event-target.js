'use strict';

/** @typedef {import('events').EventEmitter} EventEmitter */

const kHandler = Symbol('handler');
const kIsAttribute = Symbol('is-attribute');

/**
 * The events that handlers of the `EventTarget` half get. They carry what the
 * WHATWG interfaces of these names carry, and are not Node's global classes.
 */
class Event {
  #target;
  #type;

  /**
   * @param {string} type
   * @param {Object} [init]
   * @param {*} [init.target=null]
   */
  constructor(type, { target = null } = {}) {
    this.#target = target;
    this.#type = type;
  }

  /** @type {*} */
  get target() {
    return this.#target;
  }

  /** @type {string} */
  get type() {
    return this.#type;
  }
}

class CloseEvent extends Event {
  #code;
  #reason;
  #wasClean;

  /**
   * @param {string} type
   * @param {Object} [init]
   * @param {*} [init.target=null]
   * @param {number} [init.code=0]
   * @param {string} [init.reason='']
   * @param {boolean} [init.wasClean=false]
   */
  constructor(type, init = {}) {
    super(type, init);

    const { code = 0, reason = '', wasClean = false } = init;

    this.#code = code;
    this.#reason = reason;
    this.#wasClean = wasClean;
  }

  /** @type {number} */
  get code() {
    return this.#code;
  }

  /** @type {string} */
  get reason() {
    return this.#reason;
  }

  /** Whether a close frame went in both directions. @type {boolean} */
  get wasClean() {
    return this.#wasClean;
  }
}

class ErrorEvent extends Event {
  #error;
  #message;

  /**
   * @param {string} type
   * @param {Object} [init]
   * @param {*} [init.target=null]
   * @param {*} [init.error=null]
   * @param {string} [init.message='']
   */
  constructor(type, init = {}) {
    super(type, init);

    const { error = null, message = '' } = init;

    this.#error = error;
    this.#message = message;
  }

  /** @type {*} */
  get error() {
    return this.#error;
  }

  /** @type {string} */
  get message() {
    return this.#message;
  }
}

class MessageEvent extends Event {
  #data;

  /**
   * @param {string} type
   * @param {Object} [init]
   * @param {*} [init.target=null]
   * @param {*} [init.data=null]
   */
  constructor(type, init = {}) {
    super(type, init);

    const { data = null } = init;

    this.#data = data;
  }

  /** @type {*} */
  get data() {
    return this.#data;
  }
}

/** How the arguments of `emit()` become an event, by type. */
const EVENTS = {
  open: (target) => new Event('open', { target }),
  message: (target, data, isBinary) =>
    new MessageEvent('message', {
      target,
      data: isBinary ? data : data.toString()
    }),
  close: (target, code, reason) =>
    new CloseEvent('close', {
      target,
      code,
      reason: reason.toString(),
      wasClean: target._closeFrameReceived && target._closeFrameSent
    }),
  error: (target, error) =>
    new ErrorEvent('error', { target, error, message: error.message })
};

/**
 * Registers a handler of events. The same handler is registered once a type.
 *
 * @this EventEmitter
 * @param {string} type `open`, `message`, `close` or `error`; others are
 *     ignored
 * @param {(Function|{handleEvent: Function})} handler
 * @param {Object} [options]
 * @param {boolean} [options.once=false] Call it once at most
 */
function addEventListener(type, handler, options = {}) {
  if (!Object.hasOwn(EVENTS, type)) return;
  if (find(this, type, (l) => isHandlerOf(l, handler))) return;

  const listener = wrap(type, handler);

  if (options?.once) this.once(type, listener);
  else this.on(type, listener);
}

/**
 * Removes a handler that `addEventListener()` registered.
 *
 * @this EventEmitter
 * @param {string} type
 * @param {(Function|{handleEvent: Function})} handler
 */
function removeEventListener(type, handler) {
  const listener = find(this, type, (l) => isHandlerOf(l, handler));

  if (listener) this.removeListener(type, listener);
}

/** The accessor behind `onopen`, `onmessage`, `onclose` and `onerror`. */
function eventHandlerAttribute(type) {
  return {
    configurable: true,
    enumerable: true,
    get() {
      return find(this, type, isAttribute)?.[kHandler] ?? null;
    },
    set(handler) {
      const listener = find(this, type, isAttribute);

      if (listener) this.removeListener(type, listener);
      if (typeof handler !== 'function') return;

      this.on(
        type,
        Object.assign(wrap(type, handler), { [kIsAttribute]: true })
      );
    }
  };
}

function wrap(type, handler) {
  const createEvent = EVENTS[type];

  function listener(first, second) {
    const event = createEvent(this, first, second);

    if (typeof handler === 'object' && handler.handleEvent) {
      handler.handleEvent(event);
    } else {
      handler.call(this, event);
    }
  }

  listener[kHandler] = handler;

  return listener;
}

function find(emitter, type, predicate) {
  return emitter.listeners(type).find(predicate);
}

function isAttribute(listener) {
  return listener[kIsAttribute] === true;
}

function isHandlerOf(listener, handler) {
  return listener[kHandler] === handler && !isAttribute(listener);
}

/**
 * Gives a class of emitters the half of `EventTarget` that a WebSocket has.
 *
 * @param {Function} Class A class that extends `EventEmitter`
 */
function mixEventTarget(Class) {
  Object.assign(Class.prototype, { addEventListener, removeEventListener });

  for (const type of Object.keys(EVENTS)) {
    Object.defineProperty(
      Class.prototype,
      `on${type}`,
      eventHandlerAttribute(type)
    );
  }
}

for (const { prototype } of [Event, CloseEvent, ErrorEvent, MessageEvent]) {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (name === 'constructor') continue;

    Object.defineProperty(prototype, name, { enumerable: true });
  }
}

module.exports = { mixEventTarget };
