'use strict';

const { once } = require('events');

const { connect } = require('../support/connection');
const { describeEach, routedPairs, ws } = require('../support/implementations');

/** The same with `ws` on both sides. */
const oracleOf = ({ route }) => ({
  WebSocketServer: ws.WebSocketServer,
  WebSocket: ws,
  route
});

/** What ends a WebSocket here. */
const ends = {
  'terminate()': (websocket) => websocket.terminate(),
  'destroy() of its socket': (websocket) => websocket._socket.destroy(),
  'destroy() of its socket with an error': (websocket) =>
    websocket._socket.destroy(new Error('mine'))
};

/** Where it is called. */
const places = {
  'its first listener': (run) => run(),
  'a timer': (run) => setTimeout(run, 20)
};

/** A connection on whose one side `onWebSocket` is called at once. */
function open(pair, side, onWebSocket, options) {
  return connect(pair, {
    onServer: side === 'server' ? onWebSocket : undefined,
    onClient:
      side === 'client'
        ? (client) => client.on('open', () => onWebSocket(client))
        : undefined,
    [side]: options
  });
}

/** What is heard of the end, and what the readyState is meanwhile. */
async function heardOfEnd(pair, side, end, place) {
  const heard = [];

  await new Promise((resolve, reject) => {
    const onWebSocket = (websocket) => {
      const note = (what) => heard.push(`${what}, ${websocket.readyState}`);

      websocket.on('error', (err) => note(err.message));
      websocket.on('close', (code) => {
        note(`close ${code}`);
        // Immediates that come later are heard, too.
        setTimeout(resolve, 10);
      });
      place(() => {
        websocket._socket.on('error', (err) => note(`socket ${err.message}`));
        websocket._socket.on('close', () => note('socket close'));
        end(websocket);
        note('called');
        process.nextTick(note, 'tick');
        Promise.resolve('microtask').then(note);
        setImmediate(() => {
          note('immediate');
          websocket.send('x', (err) => note(String(err)));
        });
      });
    };

    open(pair, side, onWebSocket).catch(reject);
  });
  return heard;
}

/** What is heard when it was paused and had more to read. */
async function heardOfPausedEnd(pair, side) {
  const heard = [];
  let subject;
  const paused = (websocket) => {
    subject = websocket;
    websocket.pause();
  };
  const { client, server } = await open(pair, side, paused);
  const peer = side === 'server' ? client : server;
  const socket = subject._socket;
  const unread = socket.bytesRead;

  subject.on('message', (data) => {
    heard.push(`message ${data}, ${subject.readyState}`);
    process.nextTick(() => heard.push(`tick, ${subject.readyState}`));
    Promise.resolve().then(() => heard.push(`task, ${subject.readyState}`));
  });
  socket.on('close', () => {
    heard.push('socket close');
    process.nextTick(() => heard.push('tick of that'));
  });
  subject.on('close', () => heard.push('close'));
  peer.send('a');
  peer.send('b');
  while (socket.bytesRead < unread + 6) await new Promise(setImmediate);
  subject.terminate();
  heard.push('called');
  await once(subject, 'close');
  await new Promise(setImmediate);
  return heard;
}

/** What is heard of messages with macrotasks of their own, and FIN behind them. */
async function heardOfFin(pair, side) {
  const heard = [];
  const options = { allowSynchronousEvents: false };
  const answering = (websocket) => {
    websocket.on('message', (data) => {
      const { readyState } = websocket;

      heard.push({ data: String(data), readyState });
      websocket.send(data, (err) => {
        heard.push({ answer: String(data), readyState, isLost: Boolean(err) });
      });
    });
  };
  const { client, server } = await open(pair, side, answering, options);
  const [subject, peer] =
    side === 'server' ? [server, client] : [client, server];
  const closed = once(subject, 'close');

  peer._socket.cork();
  for (const data of ['a', 'b', 'c', 'd']) peer.send(data);
  peer._socket.end();
  peer._socket.uncork();
  heard.push({ code: (await closed)[0] });
  return heard;
}

describeEach(routedPairs, 'the order of the end', (pair) => {
  describe.each(['server', 'client'])('of a %s', (side) => {
    for (const [where, place] of Object.entries(places)) {
      test.each(Object.keys(ends))(`by %s in ${where}`, async (name) => {
        expect(await heardOfEnd(pair, side, ends[name], place)).toEqual(
          await heardOfEnd(oracleOf(pair), side, ends[name], place)
        );
      });
    }

    test('by terminate(), paused, with something to read', async () => {
      expect(await heardOfPausedEnd(pair, side)).toEqual([
        'called',
        ...['message a, 2', 'message b, 2', 'socket close'],
        ...['tick, 2', 'tick, 2', 'close', 'tick of that'],
        ...['task, 3', 'task, 3']
      ]);
    });

    // Over TLS it depends on how the peer's records lie.
    if (pair.route === 'TLS') return;

    test('by FIN behind messages that have macrotasks', async () => {
      const heard = await heardOfFin(pair, side);
      const messages = heard.filter(({ data }) => data !== undefined);
      const answers = heard.filter(({ answer }) => answer !== undefined);
      const states = messages.map(({ readyState }) => readyState);

      // When FIN is read is up to the system, but it is after the first one.
      expect(messages.map(({ data }) => data)).toEqual(['a', 'b', 'c', 'd']);
      expect(states).toEqual([1, ...states.slice(1).sort()]);
      expect(answers.map(({ answer }) => answer)).toEqual(['a', 'b', 'c', 'd']);
      for (const { readyState, isLost } of answers) {
        expect(isLost).toBe(readyState === 2);
      }
      expect(heard.at(-1)).toEqual({ code: 1006 });
    });
  });
});
