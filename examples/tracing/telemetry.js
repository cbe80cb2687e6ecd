'use strict';

// OpenTelemetry, for both programs: where spans go, and what the current one is.

const { AsyncLocalStorage } = require('async_hooks');

const need = require('../support/need');

const { ROOT_CONTEXT, trace } = need('@opentelemetry/api');
const { NodeTracerProvider, SimpleSpanProcessor } = need(
  '@opentelemetry/sdk-trace-node'
);

/**
 * Keeps the current context in a storage that is known here: then a channel can
 * be bound to it, which the storage of the SDK's own manager does not allow.
 */
class ContextManager {
  storage = new AsyncLocalStorage();

  active() {
    return this.storage.getStore() ?? ROOT_CONTEXT;
  }

  with(context, fn, thisArg, ...args) {
    return this.storage.run(context, () => fn.apply(thisArg, args));
  }

  bind(context, target) {
    if (typeof target !== 'function') return target;

    return (...args) => this.with(context, target, undefined, ...args);
  }

  enable() {
    return this;
  }

  disable() {
    this.storage.disable();
    return this;
  }
}

/** Prints a line for each span; in production spans go to a collector. */
class Printer {
  export(spans, callback) {
    for (const span of spans) {
      const { traceId, spanId } = span.spanContext();
      const [seconds, nanoseconds] = span.duration;

      console.log(
        '%s trace=%s span=%s parent=%s %s ms',
        span.name,
        traceId,
        spanId,
        span.parentSpanContext?.spanId ?? 'none',
        (seconds * 1e3 + nanoseconds / 1e6).toFixed(1)
      );
    }
    callback({ code: 0 });
  }

  async shutdown() {}
}

/**
 * Starts the SDK.
 *
 * @param {string} name That of the program
 * @return {{ tracer: import('@opentelemetry/api').Tracer, storage: AsyncLocalStorage }}
 */
function start(name) {
  const contextManager = new ContextManager();
  const provider = new NodeTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(new Printer())]
  });

  provider.register({ contextManager });

  return { tracer: trace.getTracer(name), storage: contextManager.storage };
}

module.exports = { start };
