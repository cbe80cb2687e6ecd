'use strict';

const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const { wsAndDrivers, linesOf } = require('../support/drivers');
const { describeEach } = require('../support/implementations');

const rows = [
  ...wsAndDrivers,
  {
    name: 'oxws, alternate',
    library: 'oxws',
    env: { OXWS_DRIVER: 'alternate' }
  }
];

let directory;
let addon;

beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-'));
  addon = path.join(directory, 'nested-loop.node');
  execFileSync('cc', [
    '-shared',
    '-fPIC',
    '-o',
    addon,
    path.join(__dirname, '..', 'support', 'nested-loop.c')
  ]);
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

/**
 * The start of each child. `serve(onConnection)` resolves `open(name)`, which
 * resolves a raw client; `say(client, ...texts)` sends messages of its;
 * `wait(until)` runs the event loop, and tells whether that came true.
 */
function prelude() {
  const net = require('net');

  const frame = (text) =>
    Buffer.concat([
      Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]),
      Buffer.from(text)
    ]);

  return (WebSocket, addon) => {
    const run = require(addon);

    return {
      serve: (onConnection, options = {}) =>
        new Promise((resolve) => {
          const wss = new WebSocket.Server(
            { port: 0, host: '127.0.0.1', ...options },
            () => resolve((name) => open(wss.address().port, name))
          );

          wss.on('connection', (websocket, request) =>
            onConnection(websocket, request.url.slice(1))
          );
        }),
      say: (client, ...texts) => client.write(Buffer.concat(texts.map(frame))),
      wait: (until) => {
        const end = Date.now() + 5000;

        while (!until() && Date.now() < end) run();
        return until();
      }
    };
  };

  function open(port, name) {
    return new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1');

      socket.setNoDelay(true);
      socket.once('data', () => resolve(socket));
      socket.write(
        `GET /${name} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n` +
          'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
      );
    });
  }
}

/** Runs `main(WebSocket, tools, ...args)` in a child. */
function lines(driver, main, ...args) {
  const source =
    '(WebSocket, addon, ...args) =>' +
    `(${main})(WebSocket, (${prelude})()(WebSocket, addon), ...args)`;

  return linesOf(
    driver,
    { toString: () => source },
    { args: [addon, ...args] }
  );
}

describeEach(rows, 'an event loop that a listener runs', (driver) => {
  test('brings messages of other connections, and the rest afterwards', async () => {
    const output = await lines(
      driver,
      async (WebSocket, { serve, say, wait }) => {
        const seen = [];
        const open = await serve((websocket, name) => {
          websocket.on('message', (data) => {
            seen.push(`${name} ${data}`);
            if (`${data}` !== 'wait') return;

            say(clients.b, 'go');
            seen.push(`waited ${wait(() => seen.includes('b go'))}`);
            // What came meanwhile on the same connection waits.
            say(clients.a, '3');
            say(clients.b, 'and');
            seen.push(`waited ${wait(() => seen.includes('b and'))}`);
          });
        });
        const clients = { a: await open('a'), b: await open('b') };

        say(clients.a, '1', 'wait', '2');
        const timer = setInterval(() => {
          if (!seen.includes('a 3')) return;

          clearInterval(timer);
          console.log(seen.join('\n'));
          process.exit();
        }, 5);
      }
    );

    expect(output).toEqual([
      'a 1',
      'a wait',
      'b go',
      'waited true',
      'b and',
      'waited true',
      'a 2',
      'a 3'
    ]);
  });

  test.each(['connection', 'callback', 'promise', 'timer'])(
    'brings messages of the same connection inside a %s',
    async (where) => {
      const output = await lines(
        driver,
        async (WebSocket, { serve, say, wait }, where) => {
          let received = 0;
          const asks = (websocket, client) => {
            let answers = 0;

            client.on('data', () => answers++);
            websocket.send('first');
            websocket.send('second');
            console.log(`asked ${wait(() => answers > 0)}`);
            say(client, 'answer');
            console.log(`answered ${wait(() => received === 1)}`);
            process.exit();
          };
          const open = await serve((websocket) => {
            websocket.on('message', () => received++);
            if (where === 'connection') asks(websocket, client());
            if (where === 'callback') {
              websocket.send('x', () => asks(websocket, client()));
            }
            if (where === 'promise') {
              Promise.resolve().then(() => asks(websocket, client()));
            }
            if (where === 'timer') {
              setTimeout(() => asks(websocket, client()), 1);
            }
          });
          // The one that connects, as the server sees it before we do.
          const net = require('net');
          const { connect } = net;
          let socket;
          const client = () => socket;

          net.connect = (...args) => (socket = connect(...args));
          open('a');
        },
        where
      );

      expect(output).toEqual(['asked true', 'answered true']);
    }
  );

  test('has what a message listener sent leave', async () => {
    const output = await lines(
      driver,
      async (WebSocket, { serve, say, wait }) => {
        const websockets = {};
        const open = await serve((websocket, name) => {
          websockets[name] = websocket;
          websocket.on('message', (data) => {
            console.log(name, `${data}`);
            if (name !== 'a') return;

            let answered = false;

            clients.b.once('data', () => (answered = true));
            websocket.send('to the same');
            websockets.b.send('a question');
            console.log(wait(() => answered));
            process.exit();
          });
        });
        const clients = { a: await open('a'), b: await open('b') };

        say(clients.a, 'hello');
      }
    );

    expect(output).toEqual(['a hello', 'true']);
  });

  test('keeps the order of every connection', async () => {
    const output = await lines(
      driver,
      async (WebSocket, { serve, say, wait }) => {
        const names = ['a', 'b', 'c', 'd'];
        const count = 300;
        const faults = [];
        let total = 0;
        let depth = 0;
        const open = await serve((websocket, name) => {
          let next = 0;
          let isInside = false;

          websocket.on('message', (data) => {
            if (isInside) faults.push(`${name} ${data} came too early`);
            if (`${data}` !== `${name}${next++}`) {
              faults.push(`${name} got ${data}`);
            }
            isInside = true;
            if (++total % 5 === 0 && depth < 3) {
              let rounds = 0;

              depth++;
              wait(() => rounds++ === 5);
              depth--;
            }
            isInside = false;
            if (total === names.length * count) {
              setImmediate(() => {
                console.log(faults.join('\n') || 'in order');
                process.exit();
              });
            }
          });
        });
        const clients = await Promise.all(names.map(open));
        let sent = 0;
        const timer = setInterval(() => {
          clients.forEach((client, i) => {
            const texts = [0, 1, 2].map((n) => `${names[i]}${sent + n}`);

            say(client, ...texts);
          });
          sent += 3;
          if (sent === count) clearInterval(timer);
        }, 1);
      }
    );

    expect(output).toEqual(['in order']);
  });

  test('keeps it where each message has a macrotask of its own', async () => {
    const output = await lines(
      driver,
      async (WebSocket, { serve, say, wait }) => {
        const seen = [];
        const open = await serve(
          (websocket) => {
            websocket.on('message', (data) => {
              let rounds = 0;

              seen.push(`${data}`);
              if (`${data}` === '2') say(client, '4');
              wait(() => rounds++ === 10);
              seen.push(`end of ${data}`);
              if (`${data}` === '4') {
                console.log(seen.join('\n'));
                process.exit();
              }
            });
          },
          { allowSynchronousEvents: false }
        );
        const client = await open('a');

        say(client, '1', '2', '3');
      }
    );

    expect(output).toEqual(
      ['1', '2', '3', '4'].flatMap((n) => [n, `end of ${n}`])
    );
  });
});
