'use strict';

const fs = require('fs');
const os = require('os');
const path = require('path');

const { paths } = require('../support/child');
const { describeEach } = require('../support/implementations');
const { linesOf, ownDrivers } = require('../support/drivers');

/**
 * Has copies of the package come and go: loaded anew by Node, or into a context
 * of their own as test runners do it. Each talks with the next one. Prints how
 * many there were, and how many of them are left.
 */
async function reload(first, path, isIsolated) {
  const fs = require('fs');
  const { createRequire, isBuiltin } = require('module');
  const { dirname } = require('path');
  const vm = require('vm');
  const copies = [];

  function loadByNode() {
    // A module lists those that it was the first to load.
    const load = createRequire(`${path}/index.js`);

    for (const name of Object.keys(load.cache)) delete load.cache[name];

    return [load(path), load(`${path}/lib/native/bridge.js`)];
  }

  function loadIntoContext() {
    const context = vm.createContext({ ...globals });
    const registry = new Map();
    const load = (file) => {
      if (registry.has(file)) return registry.get(file).exports;

      const requireHere = createRequire(file);
      const module = { exports: {} };

      registry.set(file, module);
      vm.compileFunction(
        fs.readFileSync(file, 'utf8'),
        ['module', 'exports', 'require', '__filename', '__dirname'],
        { filename: file, parsingContext: context }
      )(
        module,
        module.exports,
        (id) =>
          isBuiltin(id) ? requireHere(id) : load(requireHere.resolve(id)),
        file,
        dirname(file)
      );
      return module.exports;
    };

    return [load(`${path}/index.js`), load(`${path}/lib/native/bridge.js`)];
  }

  const { Buffer, URL, clearInterval, clearTimeout, process } = globalThis;
  const { queueMicrotask, setImmediate, setInterval, setTimeout } = globalThis;
  const globals = {
    ...{ Buffer, URL, clearInterval, clearTimeout, process },
    ...{ queueMicrotask, setImmediate, setInterval, setTimeout }
  };
  const converse = (server, Client) =>
    new Promise((resolve) => {
      const wss = new server.Server({ port: 0, host: '127.0.0.1' }, () => {
        const client = new Client(`ws://127.0.0.1:${wss.address().port}`);

        client.on('open', () => client.send('x'));
        client.on('message', () => client.close());
        client.on('close', () => wss.close(resolve));
      });

      wss.on('connection', (websocket) => {
        websocket.on('message', (data) => websocket.send(data));
      });
    });

  async function visit(previous) {
    const [copy, bridge] = isIsolated ? loadIntoContext() : loadByNode();

    copies.push(new WeakRef(bridge));
    await converse(previous, copy);
    return copy;
  }

  let previous = first;

  for (let index = 0; index < 10; index++) previous = await visit(previous);

  const isLeft = (reference) => reference.deref() !== undefined;

  // The last one may stay: it is loaded.
  for (let turn = 0; turn < 100; turn++) {
    await new Promise(setImmediate);
    global.gc();
    if (copies.filter(isLeft).length <= 1) break;
  }
  console.log(copies.length, copies.filter(isLeft).length <= 1);
  await converse(first, previous);
}

/** Has a server of the copy `first`, and clients of `second`, say what they hear in which turn. */
async function askInTurns(first, second) {
  const { once } = require('events');
  const [Client, { Server }] = [require(second), require(first)];
  const turn = () => new Promise(setImmediate);
  const wss = new Server({ port: 0, host: '127.0.0.1' });
  const peers = [];
  const heard = {};
  let turns = 0;

  wss.on('connection', (websocket) => peers.push(websocket));
  await once(wss, 'listening');

  const url = `ws://127.0.0.1:${wss.address().port}`;
  const [asking, hearing] = [new Client(url), new Client(url)];

  await Promise.all([once(asking, 'open'), once(hearing, 'open')]);
  while (peers.length < 2) await turn();
  for (let idle = 0; idle < 9; idle++) await turn();

  peers[0].on('message', () => {
    heard.question = turns;
    peers[0].send('answer');
  });
  asking.on('message', () => (heard.answer = turns));
  hearing.on('message', () => (heard.other = turns));
  asking.send('question');
  peers[1].send('other');
  while (heard.answer === undefined) {
    await turn();
    turns++;
  }
  console.log(JSON.stringify(heard));
  asking.terminate();
  hearing.terminate();
  wss.close();
}

describe('a second copy of the package', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-copy-'));

  beforeAll(() => {
    const addon = /^oxws\..*\.node$/;

    for (const name of fs.readdirSync(paths.oxws)) {
      if (!['index.js', 'lib', 'package.json'].includes(name)) {
        if (!addon.test(name)) continue;
      }
      fs.cpSync(path.join(paths.oxws, name), path.join(directory, name), {
        recursive: true
      });
    }
  });

  afterAll(() => fs.rmSync(directory, { recursive: true }));

  test('has the addon of the first', async () => {
    const main = (_, first, second) => {
      const [one, other] = [first, second].map((path) => [
        require(path),
        require(`${path}/lib/native/addon.js`)
      ]);

      console.log(one[0] === other[0], one[1] === other[1]);
    };

    expect(
      await linesOf(ownDrivers[0], main, { args: [paths.oxws, directory] })
    ).toEqual(['false true']);
  });

  // The two polled one after the other would hear the answer in the turn of the question.
  test('hears in its turn what the first sends it', async () => {
    const [inline] = ownDrivers;
    const main = `async (_, first, second) => (${askInTurns})(first, second)`;
    const hear = (row, first, second) =>
      linesOf(row, { toString: () => main }, { args: [first, second] });
    const withWs = await hear(inline, paths.ws, paths.ws);

    expect(withWs).toEqual(['{"question":0,"other":0,"answer":1}']);
    expect(await hear(inline, paths.oxws, directory)).toEqual(withWs);
  });
});

describeEach(ownDrivers, 'the addon', (driver) => {
  test.each([
    ['by Node', false],
    ['into contexts', true]
  ])('may be loaded again and again, %s', async (_, isIsolated) => {
    expect(
      await linesOf(driver, reload, {
        args: [paths.oxws, isIsolated],
        flags: ['--expose-gc']
      })
    ).toEqual(['10 true']);
  });

  test('may be loaded again and again in workers', async () => {
    const main = async (_, source, path) => {
      const { once } = require('events');
      const { Worker } = require('worker_threads');

      for (const isIsolated of [false, true, false, true]) {
        const worker = new Worker(
          `require('v8').setFlagsFromString('--expose-gc');
           globalThis.gc = require('vm').runInNewContext('gc');
           (${source})(require(${JSON.stringify(path)}),
             ${JSON.stringify(path)}, ${isIsolated});`,
          { eval: true }
        );

        console.log((await once(worker, 'exit'))[0]);
      }
    };

    expect(
      await linesOf(driver, main, { args: [String(reload), paths.oxws] })
    ).toEqual(Array(4).fill(['10 true', '0']).flat());
  });

  test('may be loaded several times in a process', async () => {
    expect(
      await linesOf(driver, (first) => {
        const path = Object.keys(require.cache).find(
          (name) => require.cache[name].exports === first
        );
        const libraries = [first];

        for (let index = 0; index < 3; index++) {
          for (const name of Object.keys(require.cache)) {
            delete require.cache[name];
          }
          libraries.push(require(path));
        }
        console.log(new Set(libraries).size);

        const wss = new libraries[1].Server({ port: 0 }, () => {
          const url = `ws://127.0.0.1:${wss.address().port}`;
          let open = 0;

          for (const WebSocket of libraries) {
            const client = new WebSocket(url);

            client.on('open', () => client.send('x'));
            client.on('message', (data) => {
              console.log(String(data));
              client.close();
            });
            client.on('close', () => {
              if (++open === libraries.length) wss.close();
            });
          }
        });

        wss.on('connection', (server) => {
          server.on('message', (data) => server.send(data));
        });
      })
    ).toEqual(['4', 'x', 'x', 'x', 'x']);
  });

  // libuv looks at each handle that can be woken whenever one is.
  test('has one handle of libuv, however often it is loaded', async () => {
    expect(
      await linesOf(driver, (first) => {
        const path = Object.keys(require.cache).find(
          (name) => require.cache[name].exports === first
        );
        const count = () =>
          process.report
            .getReport()
            .libuv.filter(({ type }) => type === 'async').length;
        const before = count();

        for (let index = 0; index < 20; index++) {
          for (const name of Object.keys(require.cache)) {
            delete require.cache[name];
          }
          require(path);
        }
        console.log(count() - before);
      })
    ).toEqual(['0']);
  });

  test('tells all copies at once that JavaScript was called', async () => {
    expect(
      await linesOf(
        driver,
        (WebSocket, path) => {
          const isDispatching = () =>
            copies.map(({ bridge }) => bridge.state[0]).join('');
          const copies = [require(`${path}/lib/native/bridge.js`)];

          for (const name of Object.keys(require.cache)) {
            delete require.cache[name];
          }
          copies.push(require(`${path}/lib/native/bridge.js`));
          console.log(isDispatching());

          const wss = new WebSocket.Server({ port: 0 }, () => {
            const client = new WebSocket(
              `ws://127.0.0.1:${wss.address().port}`
            );

            client.on('open', () => {
              console.log(isDispatching());
              client.close();
            });
            client.on('close', () => wss.close());
          });
        },
        { args: [paths.oxws] }
      )
    ).toEqual(['00', '11']);
  });

  test('may be loaded in contexts of vm', async () => {
    expect(
      await linesOf(driver, (WebSocket) => {
        const vm = require('vm');
        const wss = new WebSocket.Server({ port: 0 }, () => {
          const context = vm.createContext({ WebSocket, console, wss });

          vm.runInContext(
            `const client = new WebSocket(
               'ws://127.0.0.1:' + wss.address().port
             );
             client.on('open', () => client.send([1, 2, 3]));
             client.on('message', (data) => {
               console.log(data.length);
               client.close();
             });
             client.on('close', () => wss.close());`,
            context
          );
        });

        wss.on('connection', (server) => {
          server.on('message', (data) => server.send(data));
        });
      })
    ).toEqual(['3']);
  });
});
