'use strict';

const { once } = require('events');
const { setImmediate: turn, setTimeout: sleep } = require('timers/promises');

const Peer = require('../peer');
const { isolated } = require('../uncaught');
const { routes } = require('../../../__test__/support/routes');
const { trace } = require('../../../__test__/support/trace');

/** A WebSocket that has not closed by then never will. */
const PATIENCE = 10000;

/**
 * Plays a scenario with a library.
 *
 * @param {object} library
 * @param {object} scenario of `scenarioOf()`
 * @param {number} quiet milliseconds without news after which the peer sends FIN
 * @returns {Promise<{ events, replies }>} what the WebSocket emitted and what
 *     its peer got
 */
function play(library, scenario, quiet) {
  return isolated(library, (uncaught) =>
    perform(library, scenario, quiet, uncaught)
  );
}

async function perform(library, scenario, quiet, uncaught) {
  const open = scenario.side === 'server' ? serve : dial;
  const { websocket, events, peer, release } = await open(library, scenario);
  const closed = Promise.all([
    websocket.readyState === websocket.CLOSED ||
      new Promise((resolve) => websocket.on('close', resolve)),
    peer.closed
  ]);
  const timeout = sleep(PATIENCE, 'timeout', { ref: false });

  await write(peer, scenario.chunks);
  await untilQuiet(
    () => `${events.length} ${peer.length} ${peer.isClosed}`,
    quiet
  );
  peer.socket.end();

  const end = await Promise.race([closed, timeout, uncaught]);

  if (end === 'timeout') events.push({ event: 'no close' });
  if (end instanceof Error) {
    events.push({ event: 'uncaught', message: end.message });
  }
  websocket.terminate();
  peer.socket.destroy();
  await release();
  return { events, replies: peer.frames(scenario) };
}

/** A server's WebSocket and its raw client. */
async function serve({ WebSocketServer }, scenario) {
  const { createServer, connect } = routes[scenario.route];
  const server = createServer();
  const wss = new WebSocketServer({
    ...(server ? { server } : { port: 0, host: '127.0.0.1' }),
    ...scenario.options
  });

  if (server) server.listen(0, '127.0.0.1');
  await once(wss, 'listening');

  const peer = new Peer(connect(wss.address().port));
  const connected = new Promise((resolve) => {
    wss.on('connection', (websocket) => resolve(observe(websocket, scenario)));
  });

  peer.request(scenario.parameters);
  return {
    ...(await connected),
    peer,
    async release() {
      await new Promise((resolve) => wss.close(resolve));
      if (server) await new Promise((resolve) => server.close(resolve));
    }
  };
}

/** A client and its raw server. */
async function dial({ WebSocket }, scenario) {
  const { clientOptions, listen, scheme } = routes[scenario.route];
  let onPeer;
  const accepted = new Promise((resolve) => (onPeer = resolve));
  const server = listen((socket) => onPeer(new Peer(socket)));

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const options = { ...clientOptions(), ...scenario.options };
  const observed = observe(
    new WebSocket(`${scheme}://127.0.0.1:${server.address().port}`, options),
    scenario
  );
  const opened = once(observed.websocket, 'open');
  const peer = await accepted;

  await peer.answer(scenario.parameters);
  await opened;
  return {
    ...observed,
    peer,
    release: () => new Promise((resolve) => server.close(resolve))
  };
}

/** Records what a WebSocket emits, and has it do what the scenario says. */
function observe(websocket, { manner }) {
  const events = trace(websocket);

  websocket.on('message', (data, isBinary) => {
    if (manner === 'echoes') websocket.send(data, { binary: isBinary });
    if (manner === 'closes') websocket.close(4000, 'enough');
  });
  return { websocket, events };
}

/** Each chunk as a segment of its own, as far as that can be had. */
async function write(peer, chunks) {
  for (const chunk of chunks) {
    if (peer.isClosed) return;
    peer.socket.write(chunk);
    await turn();
  }
}

/** Waits until there has been no news for a while. */
async function untilQuiet(news, quiet) {
  for (let last; last !== news();) {
    last = news();
    await sleep(quiet);
  }
}

module.exports = { play };
