'use strict';

const { once } = require('events');

const { connect } = require('../support/connection');
const { describeEach, routedPairs } = require('../support/implementations');

/** More than the kernel takes at once. */
const LONG = Buffer.alloc(20e6);

/** Who corks and who is at the other end, and what that one has heard. */
async function open(pair, side, setup) {
  const { client, server } = await connect(pair, setup);
  const [subject, peer] =
    side === 'server' ? [server, client] : [client, server];
  const heard = [];

  peer.on('message', (data) => {
    heard.push(data.length > 100 ? data.length : String(data));
  });
  return { subject, peer, heard };
}

/** Has the peer say something that the other one hears. */
async function speak(peer, subject) {
  const arrival = once(subject, 'message');

  peer.send('go on');
  await arrival;
}

/** Settles with the code of 'close', whatever 'error' comes before. */
function closeOf(websocket) {
  websocket.on('error', () => {});
  return new Promise((resolve) => websocket.on('close', resolve));
}

const failure = new Error('as planned');

/** What ends a socket that is corked. */
const ends = {
  'terminate()': (websocket) => websocket.terminate(),
  'close() and terminate()': (websocket) => {
    websocket.close();
    websocket.terminate();
  },
  'terminate(), though uncork() follows': (websocket) => {
    websocket.terminate();
    websocket._socket.uncork();
  },
  'destroy()': (websocket) => websocket._socket.destroy(),
  'destroy() with an error': (websocket) => websocket._socket.destroy(failure)
};

describeEach(routedPairs, 'cork()', (pair) => {
  test("in 'connection' lets the client open", async () => {
    const { subject, peer, heard } = await open(pair, 'server', {
      onServer: (server) => {
        server._socket.cork();
        server.send('after');
      }
    });

    await speak(peer, subject);
    expect(heard).toEqual([]);
    subject._socket.uncork();
    await once(peer, 'message');
    expect(heard).toEqual(['after']);
  });

  describe.each(['server', 'client'])('by the %s', (side) => {
    test('lets leave what was sent before', async () => {
      const { subject, peer, heard } = await open(pair, side);
      const onWritten = jest.fn();

      subject.once('message', () => {
        subject.send('before', onWritten);
        subject._socket.cork();
        subject._socket.cork();
        subject.send('after');
        subject._socket.uncork();
      });

      const arrival = once(peer, 'message');

      await speak(peer, subject);
      await arrival;
      await speak(peer, subject);
      expect(onWritten).toHaveBeenCalledTimes(1);
      expect(heard).toEqual(['before']);
      subject._socket.uncork();
      await once(peer, 'message');
      expect(heard).toEqual(['before', 'after']);
    });

    test('lets leave what the kernel has not taken', async () => {
      const { subject, peer, heard } = await open(pair, side);

      subject.send(LONG);
      await new Promise(setImmediate);
      subject._socket.cork();
      subject.send('after');
      await once(peer, 'message');
      await speak(peer, subject);
      expect(heard).toEqual([LONG.length]);
      subject._socket.uncork();
      await once(peer, 'message');
      expect(heard).toEqual([LONG.length, 'after']);
    });

    test.each(Object.keys(ends))('has nothing leave by %s', async (name) => {
      const { subject, peer, heard } = await open(pair, side);
      const closed = [closeOf(subject), closeOf(peer)];
      const outcomes = [];

      subject._socket.cork();
      subject.send('one', (err) => outcomes.push(err));
      subject.send('two', (err) => outcomes.push(err));
      ends[name](subject);
      expect(await Promise.all(closed)).toEqual([1006, 1006]);
      expect(heard).toEqual([]);

      if (name.endsWith('an error')) {
        expect(outcomes).toEqual([failure, failure]);
        expect(outcomes[0]).toBe(failure);
      } else {
        expect(outcomes.map(({ message }) => message)).toEqual([
          'Cannot call write after a stream was destroyed',
          'Cannot call write after a stream was destroyed'
        ]);
      }
    });

    // A TLSSocket has no such method.
    const testReset = pair.route === 'TLS' ? test.skip : test;

    testReset('has nothing leave where the peer resets', async () => {
      const { subject, peer, heard } = await open(pair, side);
      const closed = [closeOf(subject), closeOf(peer)];
      const outcomes = [];

      subject._socket.on('error', ({ message }) => outcomes.push(message));
      subject._socket.cork();
      subject.send('one', ({ message }) => outcomes.push(message));
      subject.send('two', ({ message }) => outcomes.push(message));
      peer._socket.resetAndDestroy();
      expect(await Promise.all(closed)).toEqual([1006, 1006]);
      expect(heard).toEqual([]);
      expect(outcomes).toEqual(Array(3).fill('read ECONNRESET'));
    });
  });
});
