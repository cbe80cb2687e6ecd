'use strict';

const { wsAndDrivers, linesOf } = require('../support/drivers');
const { describeEach } = require('../support/implementations');
const { rawServer, switchingProtocols } = require('../support/raw');
const { frame } = require('../support/wire');

const FLOOD = Buffer.concat(
  Array.from({ length: 30 }, () =>
    frame({ opcode: 2, payload: Buffer.alloc(20000) })
  )
);

/**
 * A server that sends `bytes`, and FIN if so wished, once the client has said
 * that it is paused.
 */
async function flood({ bytes = FLOOD, ends = false }) {
  const { url } = await rawServer(async (peer, head) => {
    peer.write(switchingProtocols(head));
    await peer.frame();
    peer.write(bytes);
    if (ends) peer.socket.end();
  });

  return { url };
}

describeEach(
  wsAndDrivers,
  'a socket that is neither read nor written',
  (driver) => {
    describe.each(['dialled', 'agent'])('%s', (kind) => {
      const run = (url, act = '') =>
        linesOf(
          driver,
          (WebSocket, url, kind, act) => {
            const http = require('http');
            const client = new WebSocket(url, {
              agent: kind === 'agent' ? new http.Agent() : undefined,
              perMessageDeflate: false
            });
            let messages = 0;

            client.on('message', () => messages++);
            client.on('close', (code) => console.log(`close ${code}`));
            client.on('open', () => {
              client.pause();
              client.send('paused');
            });
            // Comes when nothing keeps the process alive.
            process.once('beforeExit', () => {
              console.log('idle');
              if (act === 'send') {
                client.send(Buffer.alloc(5e6), () => console.log('sent'));
              } else if (act === 'terminate') {
                client.terminate();
              } else if (act === 'unref, terminate') {
                client._socket.unref();
                client.terminate();
              } else if (act === 'resume') {
                client.resume();
                client.on(
                  'message',
                  () => messages === 30 && client.terminate()
                );
              }
            });
          },
          { args: [url, kind, act] }
        );

      test('ends with the process: paused', async () => {
        const { url } = await flood({});

        expect(await run(url)).toEqual(['idle']);
      });

      test('ends with the process: the peer has ended, too', async () => {
        const bytes = frame({ opcode: 2, payload: Buffer.alloc(1) });
        const { url } = await flood({ bytes, ends: true });

        expect(await run(url)).toEqual(['idle']);
      });

      test('writes', async () => {
        const { url } = await flood({});

        expect(await run(url, 'send')).toEqual(['idle', 'sent']);
      });

      test.each(['terminate', 'unref, terminate', 'resume'])(
        'is heard of: %s',
        async (act) => {
          const { url } = await flood({});

          expect(await run(url, act)).toEqual(['idle', 'close 1006']);
        }
      );
    });

    test('ends with the process: an answer is not read', async () => {
      const { url } = await rawServer((peer) => {
        peer.write(
          'HTTP/1.1 404 Not Found\r\nContent-Length: 600000\r\n\r\n',
          Buffer.alloc(600000)
        );
      });

      expect(
        await linesOf(
          driver,
          (WebSocket, url) => {
            const client = new WebSocket(url);

            client.on('unexpected-response', (_, { socket }) => {
              process.once('beforeExit', () => {
                console.log('idle');
                socket.on('close', () => console.log('closed'));
                socket.destroy();
              });
            });
            client.on('error', () => {});
          },
          { args: [url] }
        )
      ).toEqual(['idle', 'closed']);
    });

    test('shows an end behind what came before it', async () => {
      const { url } = await rawServer((peer) => {
        peer.socket.end(
          `HTTP/1.1 404 Not Found\r\nContent-Length: 600000\r\n\r\n${'x'.repeat(600000)}`
        );
      });

      expect(
        await linesOf(
          driver,
          (WebSocket, url) => {
            const client = new WebSocket(url);

            client.on('unexpected-response', (_, response) => {
              response.on('end', () => console.log('response'));
              response.socket.on('end', () => console.log('socket'));
              process.once('beforeExit', () => response.resume());
            });
            client.on('error', () => {});
          },
          { args: [url] }
        )
      ).toEqual(['response', 'socket']);
    });
  }
);
