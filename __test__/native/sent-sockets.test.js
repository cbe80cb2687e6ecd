'use strict';

const { describeEach } = require('../support/implementations');
const {
  linesOf,
  notAdopted,
  ownDrivers,
  wsAndDrivers
} = require('../support/drivers');

const kinds = ['own server', 'http server', 'client'];
const [ws] = wsAndDrivers;

/** Opens a connection and gives the socket of one end to another process. */
function sendSocket(WebSocket, kind, keepOpen) {
  const { spawn } = require('child_process');
  const http = require('http');
  const server = kind === 'http server' ? http.createServer() : null;
  const wss = new WebSocket.Server(server ? { server } : { port: 0 });
  const child = spawn(
    process.execPath,
    [
      '-e',
      `process.on('message', (frame, socket) => {
         if (!socket) return;
         socket.end(Buffer.from(frame, 'hex'));
         process.disconnect();
       });`
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }
  );
  let client;

  wss.on('connection', (accepted) => {
    const [sent, other] =
      kind === 'client' ? [client, accepted] : [accepted, client];
    const frame = kind === 'client' ? '8282000000006869' : '82026869';

    other.on('message', (data) => {
      console.log(String(data));
      other.terminate();
      sent.terminate();
    });
    other.on('close', () => {
      console.log('closed');
      wss.close();
      if (server) server.close();
    });
    client.on('open', () => {
      child.send(frame, sent._socket, { keepOpen }, (err) => {
        console.log(err && err.code);
        if (err) child.disconnect();
        if (err && keepOpen) sent.send('lives on');
      });
    });
  });

  const connect = () => {
    const { port } = (server ?? wss).address();

    client = new WebSocket(`ws://127.0.0.1:${port}`);
  };

  if (server) server.listen(0, '127.0.0.1', connect);
  else wss.on('listening', connect);
}

const withoutAdoption = [
  { ...ws, kind: 'own server' },
  { ...ws, kind: 'http server' },
  { ...ws, kind: 'client' },
  { ...notAdopted, kind: 'own server' },
  { ...notAdopted, kind: 'http server' }
];

describe.each(withoutAdoption)('$kind, $name', ({ kind, ...driver }) => {
  test.each([false, true])(
    'another process gets the socket of a WebSocket, keepOpen: %s',
    async (keepOpen) => {
      expect(
        await linesOf(driver, sendSocket, { args: [kind, keepOpen] })
      ).toEqual(['null', 'hi', 'closed']);
    }
  );
});

describeEach(ownDrivers, 'the socket of a WebSocket', (driver) => {
  describe.each(kinds)('%s', (kind) => {
    test('is closed where it cannot be sent', async () => {
      expect(
        await linesOf(driver, sendSocket, { args: [kind, false] })
      ).toEqual(['EINVAL', 'closed']);
    });

    test('lives on where it is to stay open', async () => {
      expect(await linesOf(driver, sendSocket, { args: [kind, true] })).toEqual(
        ['EINVAL', 'lives on', 'closed']
      );
    });
  });

  test('is not sent by who verifies its request', async () => {
    expect(
      await linesOf(driver, (WebSocket) => {
        const { spawn } = require('child_process');
        const child = spawn(
          process.execPath,
          ['-e', 'process.on("message", () => {})'],
          { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }
        );
        const wss = new WebSocket.Server(
          {
            port: 0,
            verifyClient({ req }) {
              child.send('socket', req.socket, ({ code }) => {
                console.log(code);
                child.disconnect();
              });
            }
          },
          () => {
            const client = new WebSocket(
              `ws://127.0.0.1:${wss.address().port}`
            );

            client.on('error', ({ message }) => {
              console.log(message);
              wss.close();
            });
          }
        );
      })
    ).toEqual(['EINVAL', 'socket hang up']);
  });
});

describeEach(wsAndDrivers, 'a connection of an own port', (driver) => {
  test('is sent by who listens for it, before it is read', async () => {
    expect(
      await linesOf(driver, (WebSocket) => {
        const { spawn } = require('child_process');
        const net = require('net');
        const child = spawn(
          process.execPath,
          [
            '-e',
            `process.on('message', (message, socket) => {
               socket.once('data', (data) => socket.end(data));
             });`
          ],
          { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }
        );
        const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });

        // If not, the server would read along until the child has it.
        wss._server.pauseOnConnect = true;
        wss._server.on('connection', (socket) => {
          child.send('socket', socket, (err) => {
            if (err) console.log(err.code);
          });
        });
        wss.on('listening', () => connect(3));

        const connect = (left) => {
          if (left === 0) {
            // The server would wait for what the child says of its connections.
            process.exit();
          }

          const peer = net.connect(wss.address().port, '127.0.0.1');

          peer.write('GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n');
          peer.on('data', (data) => console.log(JSON.stringify(String(data))));
          peer.on('end', () => connect(left - 1));
        };
      })
    ).toEqual(
      Array(3).fill(
        JSON.stringify('GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n')
      )
    );
  });
});
