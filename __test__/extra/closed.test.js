'use strict';

const { linesOf, ownDrivers } = require('../support/drivers');
const { describeEach } = require('../support/implementations');

describeEach(
  ownDrivers,
  'who waits for a WebSocket hears its end',
  (driver) => {
    test.each([
      ['throws from a listener of it', true],
      ['has removed all listeners', false]
    ])('where the program %s', async (name, throws) => {
      const lines = await linesOf(
        driver,
        async (WebSocket, throws) => {
          const { once } = require('events');
          const extra = require('./lib/extra');
          const wss = new WebSocket.Server({ port: 0 });
          const client = new WebSocket(`ws://localhost:${wss.address().port}`);
          const opened = once(client, 'open');
          const [websocket] = await once(wss, 'connection');

          await opened;
          client.pause();
          process.on('uncaughtException', () => {});
          if (throws) {
            websocket.on('close', () => {
              throw new Error('thrown');
            });
          }

          while (websocket.bufferedAmount < 8 * 1024 * 1024) {
            websocket.send(Buffer.alloc(64 * 1024));
          }

          const waits = [
            extra.sendAsync(websocket, 'last'),
            extra.waitForDrain(websocket),
            extra.messages(websocket).next(),
            extra.shutdown(wss, { timeout: 100 })
          ];

          if (!throws) websocket.removeAllListeners();
          for (const { value, reason } of await Promise.allSettled(waits)) {
            console.log(reason?.message ?? JSON.stringify(value));
          }
          client.terminate();
        },
        { args: [throws] }
      );

      expect(lines).toEqual([
        'The WebSocket closed before all was written',
        'The WebSocket closed before all was written',
        'The WebSocket closed with code 1006',
        '{"closed":0,"terminated":1}'
      ]);
    });
  }
);
