'use strict';

const { once } = require('events');

const { serveRaw } = require('../support/connection');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');
const { KEY, OPCODE, frame } = require('../support/wire');

/** What has the close come. */
const acts = {
  close: (websocket) => websocket.close(),
  terminate: (websocket) => websocket.terminate(),
  resume: (websocket) => websocket.resume(),
  send: (websocket) => websocket.send('x'),
  'destroy of the socket': (websocket) => websocket._socket.destroy()
};

describeEach(
  routedImplementations,
  'a paused WebSocket, both of whose sides have ended',
  (row) => {
    test.each(Object.keys(acts))('closes by %s', async (name) => {
      const { websocket, peer } = await serveRaw(
        row,
        { perMessageDeflate: false },
        { onWebSocket: (websocket) => websocket.pause() }
      );
      const closes = [];

      websocket.on('error', () => {});
      websocket.on('close', (code) => closes.push(code));
      // Somebody looks at it.
      websocket._socket.on('finish', () => {});
      peer.write(frame({ opcode: OPCODE.text, payload: 'unread', key: KEY }));
      peer.socket.end();
      websocket._socket.end();
      await peer.closed;
      expect(websocket.readyState).toBe(websocket.OPEN);
      expect(closes).toEqual([]);

      const closed = once(websocket, 'close');

      acts[name](websocket);
      await closed;
      await new Promise((resolve) => setImmediate(resolve));
      expect(closes).toEqual([1006]);
      expect(websocket.readyState).toBe(websocket.CLOSED);
    });

    test('is told what it has not read', async () => {
      const { websocket, peer } = await serveRaw(
        row,
        { perMessageDeflate: false },
        { onWebSocket: (websocket) => websocket.pause() }
      );
      const events = [];

      websocket.on('message', (data) => events.push(String(data)));
      websocket.on('close', (code) => events.push(code));
      peer.write(frame({ opcode: OPCODE.text, payload: 'unread', key: KEY }));
      peer.socket.end();
      websocket._socket.end();
      await peer.closed;
      websocket.resume();
      await once(websocket, 'close');
      expect(events).toEqual(['unread', 1006]);
    });
  }
);

describeEach(
  routedImplementations,
  'a socket that is paused, looked at and resumed',
  (row) => {
    test('has all that came meanwhile, and the end', async () => {
      const { websocket, peer } = await serveRaw(
        row,
        { perMessageDeflate: false },
        { onWebSocket: (websocket) => websocket._socket.pause() }
      );
      const events = [];

      websocket.on('ping', (data) => events.push(`ping ${data}`));
      websocket.on('close', (code) => events.push(code));
      peer.write(frame({ opcode: OPCODE.ping, payload: '1', key: KEY }));
      for (let turn = 0; turn < 20; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(events).toEqual([]);
      websocket._socket.on('data', () => {});
      websocket._socket.resume();
      peer.socket.end();
      await once(websocket, 'close');
      expect(events).toEqual(['ping 1', 1006]);
    });
  }
);
