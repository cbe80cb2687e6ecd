'use strict';

const { createPrivateKey } = require('crypto');
const { once } = require('events');
const https = require('https');
const tls = require('tls');

const { canAdopt, oxws, ws } = require('../support/implementations');
const {
  trackServer,
  trackSocket,
  trackWebSocketServer
} = require('../support/resources');
const { certificate, key } = require('../support/routes');
const { KEY, OPCODE, frame, upgradeRequest } = require('../support/wire');
const { middleTo } = require('./support/middle');

const message = (payload) => frame({ opcode: OPCODE.text, payload, key: KEY });

/** A server's WebSocket, its raw client, what is between them and a trace. */
async function open(lib, version) {
  const server = trackServer(
    https.createServer({
      key,
      cert: certificate,
      minVersion: version,
      maxVersion: version
    })
  );
  const wss = trackWebSocketServer(new lib.WebSocketServer({ server }));

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const proxy = await middleTo(server.address().port);
  const connected = once(wss, 'connection');
  const client = trackSocket(
    tls.connect({
      port: proxy.port,
      host: '127.0.0.1',
      rejectUnauthorized: false
    })
  );

  client.on('error', () => {});
  await once(client, 'secureConnect');

  const middle = await proxy.middle;
  const { far } = middle;

  client.write(upgradeRequest());

  const [[websocket]] = await Promise.all([connected, once(client, 'data')]);
  const trace = [];

  websocket.on('message', (data) => trace.push(`message ${data}`));
  websocket.on('error', (err) => trace.push(`error ${err.code}`));
  websocket.on('close', (code) => {
    const { bytesRead, bytesWritten } = websocket._socket;

    trace.push(`close ${code}, ${bytesRead} read, ${bytesWritten} written`);
  });
  websocket._socket.on('error', (err) => {
    const { code, errno, library, reason, syscall } = err;
    // What differs is the number of the thread.
    const text = err.message.replace(/^[0-9A-F]+:/, '');

    trace.push({ code, errno, library, reason, syscall, text });
  });
  websocket._socket.on('end', () => trace.push('end'));

  return { client, far, middle, trace, websocket };
}

const ends = {
  async 'the peer says that it ends'({ client, websocket }) {
    const arrival = once(websocket, 'message');

    client.write(message('a'));
    await arrival;
    client.end();
  },
  async 'the peer ends behind messages'({ client }) {
    client.write(message('a'));
    client.write(message('b'));
    client.end();
  },
  async 'FIN comes without a word'({ client, middle, far }) {
    middle.hold('up');
    client.write(message('a'));
    far.end(await middle.take('up'));
  },
  async 'FIN comes inside a record'({ client, middle, far }) {
    middle.hold('up');
    client.write(message('x'.repeat(1000)));
    far.end((await middle.take('up', 1000)).subarray(0, -10));
  },
  async 'FIN comes inside the header of a record'({ client, middle, far }) {
    middle.hold('up');
    client.write(message('x'.repeat(1000)));
    far.end((await middle.take('up', 1000)).subarray(0, 3));
  },
  async 'FIN comes inside a record behind another'({ client, middle, far }) {
    middle.hold('up');
    client.write(message('a'));

    const first = await middle.take('up');

    client.write(message('x'.repeat(1000)));

    const second = await middle.take('up', 1000);

    far.end(Buffer.concat([first, second.subarray(0, 100)]));
  },
  async 'a record was changed'({ client, middle, far }) {
    middle.hold('up');
    client.write(message('x'.repeat(100)));

    const record = await middle.take('up', 100);

    record[20] ^= 1;
    far.write(record);
  },
  async 'a record was changed behind another'({ client, middle, far }) {
    middle.hold('up');
    client.write(message('a'));

    const first = await middle.take('up');

    client.write(message('x'.repeat(100)));

    const second = await middle.take('up', 100);

    second[20] ^= 1;
    far.write(Buffer.concat([first, second]));
  },
  async 'a record is too long'({ far }) {
    far.write(Buffer.from(`170303ffff${'00'.repeat(40)}`, 'hex'));
  },
  async 'a record is of another version'({ far }) {
    far.write(Buffer.from(`1704040020${'00'.repeat(32)}`, 'hex'));
  },
  async 'what comes is no TLS'({ far }) {
    far.write('GET / HTTP/1.1\r\n\r\n');
  },
  async 'an alert comes as it is'({ far }) {
    far.write(Buffer.from('15030300020228', 'hex'));
  },
  async 'the peer finds a record changed'({ middle, websocket }) {
    middle.hold('down');
    websocket.send('hello');

    const record = await middle.take('down');

    middle.release('down');
    record[record.length - 1] ^= 1;
    middle.near.write(record);
  },
  async 'RST comes'({ client, websocket, far }) {
    const arrival = once(websocket, 'message');

    client.write(message('a'));
    await arrival;
    far.resetAndDestroy();
  },
  async 'RST is not for TLS'({ trace, websocket }) {
    try {
      websocket._socket.resetAndDestroy();
    } catch (err) {
      trace.push(err.code);
    }
    websocket.terminate();
  },
  async 'the socket is destroyed'({ websocket }) {
    websocket._socket.destroy();
  },
  async 'the peer closes, and ends'({ client }) {
    client.write(
      frame({ opcode: OPCODE.close, payload: Buffer.from([3, 232]), key: KEY })
    );
    client.end();
  },
  async 'the peer ends while nobody reads'({ client, websocket }) {
    websocket.pause();
    client.write(message('a'));
    client.end();
    await new Promise(setImmediate);
    websocket.resume();
  }
};

describe.each(['TLSv1.2', 'TLSv1.3'])('as with ws, %s:', (version) => {
  test.each(Object.keys(ends))('%s', async (name) => {
    const traces = [];

    for (const lib of [ws, oxws]) {
      const connection = await open(lib, version);
      const closed = new Promise((resolve) => {
        connection.websocket.on('close', resolve);
      });

      await ends[name](connection);
      await closed;
      traces.push(connection.trace);
    }

    expect(traces[0].length).toBeGreaterThan(0);
    expect(traces[1]).toEqual(traces[0]);
  });

  test('destroyed: the socket has no session from then on', async () => {
    const traces = [];

    for (const lib of [ws, oxws]) {
      const { websocket } = await open(lib, version);
      const { _socket: socket } = websocket;
      const trace = [];
      const look = () => trace.push(socket.ssl, socket._handle);
      const closed = new Promise((resolve) => websocket.on('close', resolve));

      socket.on('close', look);
      websocket.terminate();
      look();
      await closed;
      traces.push(trace);
    }

    expect(traces[0]).toEqual([null, null, null, null]);
    expect(traces[1]).toEqual(traces[0]);
  });

  const testSession = canAdopt ? test : test.skip;

  // Node takes what it finds there for an error of what it does itself.
  testSession.each(Object.keys(ends))(
    '%s: OpenSSL keeps no error',
    async (name) => {
      const clean = opensslError();
      const connection = await open(oxws, version);
      const { websocket } = connection;
      const seen = new Set();
      const look = () => seen.add(opensslError());
      const closed = new Promise((resolve) => websocket.on('close', resolve));

      for (const event of ['message', 'error', 'close']) {
        websocket.on(event, look);
        websocket._socket.on(event, look);
      }
      await ends[name](connection);
      await closed;
      expect([...seen]).toEqual([clean]);
    }
  );
});

/** What OpenSSL says of something that is no key. */
function opensslError() {
  try {
    createPrivateKey('no key');
  } catch ({ code, message, opensslErrorStack }) {
    return [code, message, opensslErrorStack].join();
  }

  return 'none';
}
