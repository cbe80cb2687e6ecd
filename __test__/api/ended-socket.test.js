'use strict';

const { once } = require('events');

const { serveRaw } = require('../support/connection');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');

const CODE = 'ERR_STREAM_WRITE_AFTER_END';

/** What sends, and what is told of it. */
const acts = {
  send: [
    (websocket, tell) => websocket.send('x', (err) => tell(err.code)),
    [`socket ${CODE}`, CODE]
  ],
  ping: [
    (websocket, tell) => websocket.ping('x', false, (err) => tell(err.code)),
    [`socket ${CODE}`, CODE]
  ],
  close: [(websocket) => websocket.close(4000), [`socket ${CODE}`]]
};

describeEach(
  routedImplementations,
  'a WebSocket whose socket a program has ended',
  (row) => {
    test.each(Object.keys(acts))('does not %s any more', async (name) => {
      const [act, told] = acts[name];
      const { websocket, peer } = await serveRaw(row, {
        perMessageDeflate: false
      });
      const events = [];
      const tell = (event) => events.push(event);

      websocket._socket.on('error', (err) => tell(`socket ${err.code}`));
      websocket.on('error', (err) => tell(`error ${err.code}`));
      websocket._socket.end();
      act(websocket, tell);

      const [code] = await once(websocket, 'close');

      expect(code).toBe(1006);
      expect(events).toEqual(told);
      // Nothing but the end, however the socket has it.
      expect(await peer.rest()).toEqual(Buffer.alloc(0));
    });
  }
);
