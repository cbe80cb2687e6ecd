'use strict';

const { describeEach } = require('../support/implementations');
const { wsAndDrivers, linesOf } = require('../support/drivers');
const { routes } = require('./support/routes');

const served = routes.filter(({ name }) => !/HTTP\/2|Duplex/.test(name));
const inWorkers = served.filter(({ name }) => /adopted$|TLS/.test(name));

describeEach(wsAndDrivers, 'a process', (driver) => {
  describe.each(served)('with sockets of the route: $name', ({ name }) => {
    test('ends by itself when they are released', async () => {
      expect(
        await linesOf(
          driver,
          async (WebSocket, name) => {
            const {
              openReleased
            } = require('./__test__/routes/support/in-process');
            const { client } = await openReleased(WebSocket, name);

            client.on('close', () => console.log('closed'));
            process.on('exit', () => console.log(client.readyState));
          },
          { args: [name] }
        )
      ).toEqual(['1']);
    });

    test('waits for the one that is held again', async () => {
      expect(
        await linesOf(
          driver,
          async (WebSocket, name) => {
            const {
              openReleased
            } = require('./__test__/routes/support/in-process');
            const { client } = await openReleased(WebSocket, name);

            client._socket.ref();
            setTimeout(() => client.close(1000), 50).unref();
            client.on('close', (code) => console.log(`closed ${code}`));
          },
          { args: [name] }
        )
      ).toEqual(['closed 1000']);
    });
  });

  describe.each(inWorkers)('of workers with the route: $name', ({ name }) => {
    test('runs them in a worker', async () => {
      expect(
        await linesOf(
          driver,
          (WebSocket, name) => {
            const { Worker, workerData } = require('worker_threads');
            const path = Object.keys(require.cache).find(
              (name) => require.cache[name].exports === WebSocket
            );
            const main = async () => {
              const {
                openRoute,
                stopListening
              } = require('./__test__/routes/support/in-process');
              const { path, name } = require('worker_threads').workerData;
              const connection = await openRoute(require(path), name);
              const { server, client } = connection;
              let count = 0;

              stopListening(connection);
              server.on('message', (data) => server.send(data));
              client.on('message', (data) => {
                if (++count === 500) client.close(1000);
                else if (count < 500) client.send(data);
              });
              client.on('close', (code) => console.log(`${code} ${count}`));
              for (let window = 0; window < 8; window++) client.send('x');
            };

            if (workerData) throw new Error('this is the main thread');
            new Worker(`(${main})()`, {
              eval: true,
              workerData: { path, name }
            }).on('exit', (code) => console.log(`exit ${code}`));
          },
          { args: [name] }
        )
      ).toEqual([expect.stringMatching(/^1000 5\d\d$/), 'exit 0']);
    });

    test('terminates a worker that uses them', async () => {
      expect(
        await linesOf(
          driver,
          (WebSocket, name) => {
            const { Worker } = require('worker_threads');
            const path = Object.keys(require.cache).find(
              (name) => require.cache[name].exports === WebSocket
            );
            const main = async () => {
              const {
                openRoute
              } = require('./__test__/routes/support/in-process');
              const { parentPort, workerData } = require('worker_threads');
              const { server, client } = await openRoute(
                require(workerData.path),
                workerData.name
              );
              let count = 0;

              server.on('message', (data) => server.send(data));
              client.on('message', (data) => {
                client.send(data);
                if (++count === 100) parentPort.postMessage('under traffic');
              });
              for (let window = 0; window < 8; window++) client.send('x');
            };
            let rounds = 3;
            const next = () => {
              if (rounds-- === 0) return;

              const worker = new Worker(`(${main})()`, {
                eval: true,
                workerData: { path, name }
              });

              worker.once('message', () => {
                worker.terminate().then((code) => {
                  console.log(`exit ${code}`);
                  next();
                });
              });
            };

            next();
          },
          { args: [name] }
        )
      ).toEqual(Array(3).fill('exit 1'));
    });
  });

  describe.each(['http server', 'handleUpgrade()'])(
    'of a cluster, with %s',
    (kind) => {
      test.each(['rr', 'none'])('and scheduling %s', async (policy) => {
        const output = await linesOf(
          driver,
          (WebSocket, kind, policy) => {
            const cluster = require('cluster');
            const path = Object.keys(require.cache).find(
              (name) => require.cache[name].exports === WebSocket
            );

            cluster.schedulingPolicy =
              policy === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
            cluster.setupPrimary({
              exec: './__test__/routes/support/cluster-worker.js',
              args: [path, kind],
              execArgv: []
            });

            const workers = [cluster.fork(), cluster.fork()];
            const ports = [];
            const names = new Set();

            for (const worker of workers) {
              worker.on('message', (port) => {
                ports.push(port);
                if (ports.length === 2) connect(port);
              });
              worker.on('exit', (code, signal) => {
                console.log(`exit ${code} ${signal}`);
              });
              // The primary may be writing to a worker that is killed.
              worker.on('error', () => {});
            }

            /** Talks until both workers have answered, or ten times. */
            function connect(port) {
              const clients = [];
              let open = 0;

              for (let index = 0; index < 10; index++) {
                const client = new WebSocket(`ws://127.0.0.1:${port}`);

                clients.push(client);
                client.on('open', () => client.send('who?'));
                client.on('message', (data) => {
                  names.add(Number(data));
                  client.worker = workers.find(
                    ({ process }) => process.pid === Number(data)
                  );
                  if (++open === 10) kill(clients);
                });
              }
            }

            /** One worker dies, the other goes on. */
            function kill(clients) {
              const victim = clients[0].worker;
              const lost = clients.filter(({ worker }) => worker === victim);
              const left = clients.filter(({ worker }) => worker !== victim);
              let closed = 0;

              if (policy === 'rr') console.log(`workers ${names.size}`);
              for (const client of lost) {
                client.on('close', (code) => {
                  if (code !== 1006) console.log(`code ${code}`);
                  if (++closed === lost.length) leave(left);
                });
              }
              victim.process.kill('SIGKILL');
            }

            function leave(left) {
              let answers = 0;

              for (const client of left) {
                client.on('message', () => {
                  if (++answers === left.length) console.log('the other lives');
                  client.close(1000);
                });
                client.send('still there?');
              }
              for (const worker of workers) {
                if (worker.isConnected()) worker.send('end');
              }
            }
          },
          { args: [kind, policy] }
        );

        expect(output.sort()).toEqual(
          expect.arrayContaining(['exit 0 null', 'exit null SIGKILL'])
        );
        if (policy === 'rr') {
          expect(output).toContain('workers 2');
          expect(output).toContain('the other lives');
        }
        expect(output.some((line) => line.startsWith('code'))).toBe(false);
      });
    }
  );
});
