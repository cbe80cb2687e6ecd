'use strict';

const { once } = require('events');
const ws = require('ws');
const { setImmediate: turn, setTimeout: sleep } = require('timers/promises');

const Actor = require('./actor');
const { routes } = require('../../../__test__/support/routes');
const { trace } = require('../../../__test__/support/trace');

/** A WebSocket that has not closed by then never will. */
const PATIENCE = 5000;

/** Milliseconds after which a peer begins: what it does is seen apart. */
const DELAY = 6;

/**
 * Plays a scenario with a library; the peer is ws's.
 *
 * @param {object} library
 * @param {object} scenario of `scenarioOf()`
 * @param {number} quiet milliseconds without news after which it goes on
 * @returns {Promise<{ events, callbacks, peer }>} what the WebSocket emitted and
 *     what its calls threw, what its callbacks got, and what its peer emitted
 */
async function play(library, scenario, quiet) {
  const isServer = scenario.side === 'server';
  const libraries = isServer ? [library, ws] : [ws, library];
  const { server, client, release } = await connect(libraries, scenario);
  const [subject, peer] = isServer ? [server, client] : [client, server];
  const closed = Promise.all([subject.closed, peer.closed]);
  let isClosed = false;

  closed.then(() => (isClosed = true));

  const untilQuiet = async () => {
    const news = () =>
      [subject, peer]
        .map(({ events, actor }) => `${events.length} ${actor.calls}`)
        .join();

    for (let last; last !== news() && !isClosed;) {
      last = news();
      await sleep(quiet);
    }
  };

  await untilQuiet();
  for (const { actor } of [subject, peer]) actor.trigger('later');
  await untilQuiet();
  for (const { websocket } of [client, server]) {
    websocket.resume();
    websocket._socket?.resume();
  }
  await untilQuiet();
  for (const { events } of [subject, peer]) events.push('is over');
  subject.websocket.close(1000);

  const timeout = sleep(PATIENCE, 'timeout', { ref: false });

  if ((await Promise.race([closed, timeout])) === 'timeout') {
    subject.events.push('no close');
    for (const { websocket } of [subject, peer]) websocket.terminate();
  }
  // Callbacks may come after 'close'.
  await turn();
  await release();

  return {
    events: subject.events,
    callbacks: subject.actor.callbacks,
    peer: peer.events
  };
}

/** Both ends of a connection. */
async function connect([one, other], scenario) {
  const { side, route, options, peerOptions } = scenario;
  const isServer = side === 'server';
  const { createServer, clientOptions, scheme } = routes[route];
  const httpServer = createServer();
  const wss = new one.WebSocketServer({
    ...(httpServer ? { server: httpServer } : { port: 0, host: '127.0.0.1' }),
    ...(isServer ? options : peerOptions)
  });

  if (httpServer) httpServer.listen(0, '127.0.0.1');
  await once(wss, 'listening');

  const connected = new Promise((resolve) => {
    wss.on('connection', (websocket) => {
      const server = observe(websocket, scenario, isServer);

      server.begin();
      resolve(server);
    });
  });
  const url = `${scheme}://127.0.0.1:${wss.address().port}`;
  const websocket = new other.WebSocket(url, {
    ...clientOptions(),
    ...(isServer ? peerOptions : options)
  });
  const client = observe(websocket, scenario, !isServer);

  websocket.on('open', client.begin);

  return {
    client,
    server: await connected,
    async release() {
      await new Promise((resolve) => wss.close(resolve));
      if (httpServer) await new Promise((resolve) => httpServer.close(resolve));
    }
  };
}

/** Records what a WebSocket emits, and has it play its program. */
function observe(websocket, scenario, isSubject) {
  const events = trace(websocket);
  const program = isSubject ? scenario.subject : scenario.peer;
  const actor = new Actor(program, websocket, events);
  const begin = () => actor.trigger('open');

  return {
    websocket,
    events,
    actor,
    begin: isSubject ? begin : () => setTimeout(begin, DELAY),
    closed: new Promise((resolve) => websocket.on('close', resolve))
  };
}

module.exports = { play };
