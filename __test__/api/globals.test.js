'use strict';

const { paths, runNode } = require('../support/child');
const { anyDriver, wsAndDrivers } = require('../support/drivers');
const { describeEach } = require('../support/implementations');

/** What `main` prints in a child where `prepare` runs before the library is loaded. */
async function lines({ library, env }, prepare, main) {
  const path = JSON.stringify(paths[library]);
  const { code, stdout, stderr } = await runNode(
    ['-e', `(${prepare})(); (${main})(require(${path}));`],
    env
  );

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n').slice(0, -1);
}

// Test environments leave out what is global, and tests put something in its place.
describeEach([wsAndDrivers[0], anyDriver], 'globals', (driver) => {
  test('no Blob: binaryType cannot be "blob", and nothing is one', async () => {
    expect(
      await lines(
        driver,
        () => {
          globalThis.Former = Blob;
          delete globalThis.Blob;
        },
        (WebSocket) => {
          const wss = new WebSocket.Server({ port: 0 }, () => {
            const client = new WebSocket(
              `ws://127.0.0.1:${wss.address().port}`
            );

            client.binaryType = 'blob';
            console.log(client.binaryType);
            client.on('message', (data) => {
              console.log(data.constructor.name, String(data));
              try {
                client.send(new globalThis.Former(['x']));
              } catch (err) {
                console.log(err.name, err.code);
              }
              client.close();
            });
            client.on('close', () => wss.close());
          });

          wss.on('connection', (peer) => peer.send(Buffer.from('bytes')));
        }
      )
    ).toEqual(['nodebuffer', 'Buffer bytes', 'TypeError ERR_INVALID_ARG_TYPE']);
  });

  test('another URL: addresses are understood', async () => {
    expect(
      await lines(
        driver,
        () => {
          globalThis.URL = { createObjectURL() {} };
        },
        (WebSocket) => {
          const { URL } = require('url');
          const wss = new WebSocket.Server({ port: 0 }, async () => {
            const { port } = wss.address();

            for (const address of [
              `ws://127.0.0.1:${port}/text`,
              `http://127.0.0.1:${port}/http`,
              new URL(`ws://127.0.0.1:${port}/url`)
            ]) {
              const client = new WebSocket(address);

              await new Promise((resolve) => client.on('close', resolve));
            }
            try {
              new WebSocket('nowhere');
            } catch (err) {
              console.log(err.message);
            }
            wss.close();
          });

          wss.on('connection', (peer, { url }) => {
            console.log(url);
            peer.close();
          });
        }
      )
    ).toEqual(['/text', '/http', '/url', 'Invalid URL: nowhere']);
  });
});

describeEach([...wsAndDrivers, anyDriver], 'fake globals', (driver) => {
  // What came behind a request that Node.js has to look at.
  test('queueMicrotask(): a connection goes to Node.js', async () => {
    expect(
      await lines(
        driver,
        () => {},
        (WebSocket) => {
          const net = require('net');
          const wss = new WebSocket.Server({ port: 0 }, () => {
            const { port } = wss.address();
            const socket = net.connect(port, '127.0.0.1');

            globalThis.queueMicrotask = () => {};
            socket.setEncoding('latin1').on('data', (data) => {
              console.log(data.split('\r\n')[0]);
              socket.destroy();
              wss.close();
            });
            socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
          });
        }
      )
    ).toEqual(['HTTP/1.1 426 Upgrade Required']);
  });
});
