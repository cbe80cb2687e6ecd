'use strict';

// Spans of messages, from the channels of oxws: a program that requires this
// need not change where it sends and receives.

const diagnostics = require('diagnostics_channel');

const need = require('../support/need');

const { SpanKind, SpanStatusCode, context, propagation, trace } =
  need('@opentelemetry/api');

/**
 * Makes a span of each message that a WebSocket of this process receives, which
 * is the current one in its listeners and in what they begin, and one of each
 * message that is sent.
 *
 * @param {import('@opentelemetry/api').Tracer} tracer
 * @param {import('async_hooks').AsyncLocalStorage} storage That of the contexts
 */
function traceMessages(tracer, storage) {
  const channel = diagnostics.tracingChannel('oxws:message');
  const spans = new WeakMap();

  channel.start.bindStore(storage, (message) => {
    const { data, isBinary } = message;
    const parent = contextOf(data);
    const span = tracer.startSpan(
      'receive',
      {
        kind: SpanKind.CONSUMER,
        attributes: { 'message.bytes': data.length, 'message.binary': isBinary }
      },
      parent
    );

    spans.set(message, span);
    return trace.setSpan(parent, span);
  });

  channel.subscribe({
    error: (message) => {
      const span = spans.get(message);

      span?.recordException(message.error);
      span?.setStatus({ code: SpanStatusCode.ERROR });
    },
    end: (message) => spans.get(message)?.end()
  });

  diagnostics.subscribe('oxws:websocket:sent', ({ data }) => {
    const attributes = { 'message.bytes': Buffer.byteLength(data) };

    tracer.startSpan('send', { kind: SpanKind.PRODUCER, attributes }).end();
  });
}

/** The context that came with a message, as `stamp()` has put it there. */
function contextOf(data) {
  try {
    return propagation.extract(context.active(), JSON.parse(data));
  } catch {
    return context.active();
  }
}

/**
 * Adds to a message where it comes from: RFC 6455 has no room for that beside the
 * payload.
 *
 * @param {Object} message
 * @return {string} JSON
 */
function stamp(message) {
  const carrier = {};

  propagation.inject(context.active(), carrier);

  return JSON.stringify({ ...message, ...carrier });
}

module.exports = { stamp, traceMessages };
