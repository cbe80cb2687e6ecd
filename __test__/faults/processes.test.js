'use strict';

const { spawn } = require('child_process');
const { once } = require('events');

const { paths, root, runNode } = require('../support/child');
const { describeEach, implementations } = require('../support/implementations');
const { lifetime, places } = require('../support/lifetime');
const { onRelease } = require('../support/resources');

const isLinux = process.platform === 'linux';

describeEach(
  implementations,
  'an exception that nobody catches',
  ({ name }) => {
    const program = (WebSocket, lifetime, place) => {
      lifetime(WebSocket, (name) => {
        if (name === place) throw new Error(`in ${name}`);
      });
    };
    const library = JSON.stringify(paths[name]);

    test('ends the process in every event, with its text', async () => {
      // A new process each takes its time: all with OXWS_STORMS=full.
      const chosen =
        process.env.OXWS_STORMS === 'full'
          ? places
          : ['headers', 'open', 'sent', 'ping'];

      for (const place of chosen) {
        const { code, stderr } = await runNode([
          '-e',
          `(${program})(require(${library}), ${lifetime}, ${JSON.stringify(place)})`
        ]);

        expect(stderr).toContain(`Error: in ${place}\n`);
        expect(code).toBe(1);
      }
    });
  }
);

describeEach(
  isLinux ? implementations : [],
  'no descriptor left',
  ({ name }) => {
    /** Runs in a process with 64 descriptors, the peers in one with more. */
    const program = async (WebSocket, kind) => {
      const http = require('http');
      const server = kind === 'http server' ? http.createServer() : null;
      const wss = new WebSocket.Server(
        server ? { server } : { port: 0, host: '127.0.0.1' }
      );
      const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

      wss.on('connection', (websocket) => {
        websocket.on('error', () => {});
        websocket.on('message', (data) => websocket.send(data));
      });
      if (server) server.listen(0, '127.0.0.1');
      if (!wss.address()) {
        await new Promise((resolve) => wss.on('listening', resolve));
      }

      const { port } = wss.address();

      process.send(port);
      await new Promise((resolve) => process.once('message', resolve));

      const before = process.cpuUsage();

      await wait(300);

      const { user, system } = process.cpuUsage(before);

      console.log('spins', user + system > 150000);

      const code = await new Promise((resolve) => {
        new WebSocket(`ws://127.0.0.1:${port}`)
          .on('error', (err) => resolve(err.code))
          .on('open', () => resolve('open'));
      });

      console.log('dial', code);
      process.send('free');
    };

    test.each(['own server', 'http server'])(
      'starves nobody for ever, %s',
      async (kind) => {
        const child = spawn(
          '/bin/sh',
          [
            '-c',
            'ulimit -n 64; exec "$@"',
            'sh',
            process.execPath,
            '-e',
            `(${program})(require(${JSON.stringify(paths[name])}), ${JSON.stringify(kind)})`
          ],
          { cwd: root, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] }
        );
        let text = '';

        onRelease(() => child.kill('SIGKILL'));
        child.stdout.on('data', (data) => (text += data));

        const [port] = await once(child, 'message');
        const WebSocket = require('ws');
        const clients = Array.from({ length: 70 }, () => {
          const client = new WebSocket(`ws://127.0.0.1:${port}`);

          client.on('error', () => {});
          return client;
        });

        await new Promise((resolve) => setTimeout(resolve, 200));
        child.send('full');
        expect(await once(child, 'message')).toEqual(['free', undefined]);
        for (const client of clients) client.terminate();

        // The server hears of it in its time.
        let good;
        let isOpen = false;

        while (!isOpen) {
          good = new WebSocket(`ws://127.0.0.1:${port}`);
          isOpen = await new Promise((resolve) => {
            good.on('open', () => resolve(true));
            good.on('error', () => resolve(false));
          });
        }
        onRelease(() => good.terminate());
        good.send('still there?');
        expect(String((await once(good, 'message'))[0])).toBe('still there?');
        expect(text).toBe('spins false\ndial EMFILE\n');
      }
    );
  }
);

describeEach(implementations, 'SIGTERM under load', ({ name }) => {
  const program = (WebSocket, isHandled) => {
    const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' }, () => {
      for (let index = 0; index < 8; index++) {
        const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);

        client.on('open', () => client.send('x'.repeat(1000)));
        client.on('message', (data) => client.send(data));
      }
    });
    let received = 0;

    wss.on('connection', (server) => {
      server.on('message', (data) => {
        server.send(data);
        if (received++ === 1000) console.log('busy');
      });
    });
    if (!isHandled) return;
    process.on('SIGTERM', () => {
      wss.close(() => console.log('closed'));
      for (const server of wss.clients) server.close(1001);
    });
  };

  test.each([
    [false, { code: null, signal: 'SIGTERM', text: 'busy\n' }],
    [true, { code: 0, signal: null, text: 'busy\nclosed\n' }]
  ])('is obeyed; handled: %p', async (isHandled, end) => {
    const child = spawn(
      process.execPath,
      [
        '-e',
        `(${program})(require(${JSON.stringify(paths[name])}), ${isHandled})`
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] }
    );
    let text = '';

    onRelease(() => child.kill('SIGKILL'));
    child.stdout.on('data', (data) => {
      if (text === '') child.kill('SIGTERM');
      text += data;
    });

    const [code, signal] = await once(child, 'close');

    expect({ code, signal, text }).toEqual(end);
  });
});
