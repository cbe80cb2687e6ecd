'use strict';

const fs = require('fs');
const os = require('os');
const path = require('path');

const { listen } = require('../support/connection');
const { runInChild } = require('../support/child');
const { anyDriver, wsAndDrivers, linesOf } = require('../support/drivers');
const { describeEach, ws } = require('../support/implementations');

let directory;

beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-'));
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

/** A server of ws that notes what comes, and how that ends. */
async function observe(onMessage = () => {}, perMessageDeflate = false) {
  const { wss, url } = await listen(ws, { perMessageDeflate });
  const received = [];
  const closed = new Promise((resolve) => {
    wss.on('connection', (websocket) => {
      websocket.send('begin');
      websocket.on('message', (data) => {
        received.push(String(data));
        onMessage(String(data));
      });
      websocket.on('close', (code) => resolve([...received, code]));
    });
  });

  return { url, closed };
}

describeEach([...wsAndDrivers, anyDriver], 'what is sent', (driver) => {
  test.each([
    ['a listener', undefined],
    ['a timer', 'timer'],
    ['a promise', 'promise']
  ])('arrives while %s goes on with other work', async (name, place) => {
    const mark = path.join(directory, `${driver.name} ${name}`);
    const { url, closed } = await observe((data) =>
      fs.writeFileSync(`${mark} ${data}`, '')
    );

    expect(
      await linesOf(
        driver,
        (WebSocket, url, mark, place) => {
          const fs = require('fs');
          const client = new WebSocket(url);
          const work = () => {
            for (const text of ['first', 'second', 'third']) {
              client.send(text);
              client.ping();

              const end = Date.now() + 20000;

              while (!fs.existsSync(`${mark} ${text}`) && Date.now() < end);
              console.log(Date.now() < end);
            }
            client.close();
          };

          client.on('message', () => {
            if (place === 'timer') setTimeout(work, 1);
            else if (place === 'promise') Promise.resolve().then(work);
            else work();
          });
        },
        { args: [url, mark, place] }
      )
    ).toEqual(['true', 'true', 'true']);
    expect(await closed).toEqual(['first', 'second', 'third', 1005]);
  });

  test('by listeners of the exit arrives', async () => {
    const { url, closed } = await observe();

    await linesOf(
      driver,
      (WebSocket, url) => {
        const client = new WebSocket(url);

        client.on('message', () => {
          client.send('first');
          process.exit();
        });
        process.on('exit', () => {
          client.send('second');
          client.send('third');
          client.close(1001);
        });
      },
      { args: [url] }
    );
    expect(await closed).toEqual(['first', 'second', 'third', 1001]);
  });

  test('in the tick before process.exit() arrives', async () => {
    const { url, closed } = await observe();

    await linesOf(
      driver,
      (WebSocket, url) => {
        const client = new WebSocket(url);

        client.on('message', () => {
          client.send('first');
          setImmediate(() => {
            for (const text of ['second', 'third', 'fourth']) client.send(text);
            process.nextTick(() => process.exit());
          });
        });
      },
      { args: [url] }
    );
    expect(await closed).toEqual(['first', 'second', 'third', 'fourth', 1006]);
  });

  test.each([
    ['no listener hears of', false, false],
    ['no listener hears of, compressed', false, true],
    ['JavaScript does not hear of', true, false],
    ['JavaScript does not hear of, compressed', true, true]
  ])('before an exit that %s arrives', async (_, isReally, compress) => {
    const { url, closed } = await observe(undefined, compress);

    await linesOf(
      driver,
      (WebSocket, url, isReally, compress) => {
        const client = new WebSocket(url, {
          perMessageDeflate: compress && { threshold: 0 }
        });

        client.on('message', () => {
          client.send('first', () => {
            for (const text of ['second', 'third', 'fourth']) client.send(text);
            process.removeAllListeners('exit');
            if (isReally) process.reallyExit(0);
            else process.exit(0);
          });
        });
      },
      { args: [url, isReally, compress] }
    );
    expect(await closed).toEqual(
      // ws compresses later.
      compress && driver.library === 'ws'
        ? ['first', 1006]
        : ['first', 'second', 'third', 'fourth', 1006]
    );
  });

  test('before an uncaught exception arrives', async () => {
    const { url, closed } = await observe();
    const { code } = await runInChild(
      driver.library,
      (WebSocket, url) => {
        const client = new WebSocket(url);

        client.on('message', () => {
          client.send('first');
          client.send('second');
          throw new Error('as planned');
        });
      },
      { args: [url], env: driver.env }
    );

    expect(code).toBe(1);
    expect(await closed).toEqual(['first', 'second', 1006]);
  });

  test('before a worker ends arrives', async () => {
    const { paths } = require('../support/child');

    for (const end of ['process.exit()', 'parentPort.postMessage("")']) {
      const { url, closed } = await observe();

      await linesOf(
        driver,
        (WebSocket, library, url, end) => {
          const { Worker } = require('worker_threads');
          const worker = new Worker(
            `const { parentPort } = require('worker_threads');
             const client = new (require(${JSON.stringify(library)}))('${url}');
             client.on('message', () => {
               client.send('first');
               client.send('second');
               ${end};
               for (;;);
             });`,
            { eval: true }
          );

          worker.on('message', () => worker.terminate());
        },
        { args: [paths[driver.library], url, end] }
      );
      expect(await closed).toEqual(['first', 'second', 1006]);
    }
  });

  test('twice before the process is killed arrives', async () => {
    const { url, closed } = await observe();
    const { signal } = await runInChild(
      driver.library,
      (WebSocket, url) => {
        const client = new WebSocket(url);

        client.on('message', () => {
          setTimeout(() => {
            client.send('first');
            client.send('second');
            process.kill(process.pid, 'SIGKILL');
          }, 1);
        });
      },
      { args: [url], env: driver.env }
    );

    expect(signal).toBe('SIGKILL');
    expect(await closed).toEqual(['first', 'second', 1006]);
  });
});
