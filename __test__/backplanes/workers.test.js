'use strict';

// Backplanes between worker threads, in processes of their own.

const { root } = require('../support/child');
const { linesOf, ownDrivers, withoutUv } = require('../support/drivers');
const { describeEach } = require('../support/implementations');

/**
 * In a child: `start(main)` runs a function in a worker with a server whose clients
 * are subscribed to the paths they come with, and what they say is published.
 */
function prelude(root) {
  const { Worker } = require('worker_threads');

  const serve = (root, main) => {
    const WebSocket = require(root);
    const { Topics } = require(`${root}/lib/extra`);
    const { threadBackplane } = require(`${root}/lib/backplanes`);
    const { parentPort } = require('worker_threads');
    const backplane = threadBackplane({ name: 'chat' });
    const topics = new Topics({ backplane });
    const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });

    wss.on('connection', (ws, { url }) => {
      topics.subscribe(ws, url);
      ws.on('message', (data, isBinary) => {
        topics.publish(url, data, { binary: isBinary, except: ws });
      });
      // It is subscribed by the time that this comes.
      ws.send('welcome');
    });
    wss.on('listening', () => parentPort.postMessage(wss.address().port));
    parentPort.on('message', async () => {
      for (const ws of wss.clients) ws.terminate();
      wss.close();
      await topics.close();
      parentPort.close();
    });
    main(topics);
  };

  return (main) =>
    new Worker(`(${serve})(${JSON.stringify(root)}, ${main})`, { eval: true });
}

function lines(driver, main) {
  const source = `(WebSocket) =>
    (${main})(WebSocket, (${prelude})(${JSON.stringify(root)}))`;

  return linesOf(driver, { toString: () => source });
}

describeEach([...ownDrivers, withoutUv], 'workers', (driver) => {
  test('have their clients hear each other, and end', async () => {
    const output = await lines(driver, async (WebSocket, start) => {
      const { once } = require('events');
      const workers = [1, 2, 3].map(() => start(() => {}));
      const clients = await Promise.all(
        workers.map(async (worker) => {
          const [port] = await once(worker, 'message');
          const pair = ['/a', '/b'].map(
            (path) => new WebSocket(`ws://127.0.0.1:${port}${path}`)
          );

          await Promise.all(pair.map((client) => once(client, 'message')));
          return pair;
        })
      );
      const said = clients.flatMap(([first, second], index) =>
        [first, second].map((client, path) => {
          const heard = [];

          client.on('message', (data, isBinary) => {
            heard.push(`${data}${isBinary ? '!' : ''}`);
            if (heard.length === 4) done(index, path, heard.sort().join());
          });
          return client;
        })
      );
      let open = 6;

      function done(index, path, heard) {
        console.log(`${index} ${path}: ${heard}`);
        open--;
        if (open === 0) for (const worker of workers) worker.postMessage('end');
      }

      said.forEach((client, index) => {
        client.on('error', () => {});
        client.send(`text ${index}`);
        client.send(Buffer.from(`bytes ${index}`));
      });
      for (const worker of workers) {
        worker.on('exit', (code) => console.log(`exit ${code}`));
      }
    });
    const heard = (path, own) =>
      [0, 2, 4]
        .map((index) => index + path)
        .filter((index) => index !== 2 * own + path)
        .flatMap((index) => [`text ${index}`, `bytes ${index}!`])
        .sort()
        .join();

    expect(output.sort()).toEqual(
      [
        ...[0, 1, 2].flatMap((own) =>
          [0, 1].map((path) => `${own} ${path}: ${heard(path, own)}`)
        ),
        ...Array(3).fill('exit 0')
      ].sort()
    );
  });

  test('can be terminated while others publish', async () => {
    const output = await lines(driver, async (WebSocket, start) => {
      const { once } = require('events');
      const main = (topics) => {
        setInterval(() => {
          for (let index = 0; index < 20; index++) {
            topics.publish('/a', Buffer.alloc(index * 500));
          }
        }, 2);
      };
      let left = 5;

      async function next() {
        if (left-- <= 0) return;

        const worker = start(main);
        const [port] = await once(worker, 'message');
        const client = new WebSocket(`ws://127.0.0.1:${port}/a`);

        client.on('error', () => {});
        // One of another worker.
        for (let count = 0; count < 5; count++) await once(client, 'message');
        await worker.terminate();
        await next();
      }

      await Promise.all([next(), next(), next()]);
      console.log('all');
    });

    expect(output).toEqual(['all']);
  });
});
