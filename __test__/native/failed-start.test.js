'use strict';

const { constants } = require('os');

const { paths, runNode } = require('../support/child');
const { failingCalls } = require('../support/failing-calls');

const isLinux = process.platform === 'linux';

/** Loads the package with no thread to be had, then with one, and converses. */
async function attempts(path, errno) {
  const load = () => require(path);
  const threadless = () => {
    process.env.FAILING_CALL = `pthread_create ${errno}`;
    try {
      return load();
    } catch ({ message }) {
      return message;
    } finally {
      process.env.FAILING_CALL = '';
    }
  };

  console.log(threadless());
  // libuv closes what the attempt had in the next turn, or beside a later one.
  await new Promise(setImmediate);
  console.log(threadless());

  const WebSocket = load();

  const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' }, () => {
    const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);

    client.on('open', () => client.close(1000));
    client.on('close', (code) => {
      console.log(code);
      wss.close();
    });
  });
}

/** The same in two workers, of which one goes on and one ends at once. */
async function workers(path, errno) {
  const { once } = require('events');
  const { Worker } = require('worker_threads');
  const program = (parentPort) => {
    parentPort.once('message', ([path, end]) => {
      try {
        require(path);
      } catch ({ message }) {
        parentPort.postMessage(message);
      }
      if (end) process.exit(3);
    });
  };

  for (const end of [false, true]) {
    const worker = new Worker(
      `(${program})(require('worker_threads').parentPort)`,
      { eval: true }
    );

    await once(worker, 'online');
    process.env.FAILING_CALL = `pthread_create ${errno}`;
    worker.postMessage([path, end]);
    worker.on('message', (message) => console.log(message));
    console.log((await once(worker, 'exit'))[0]);
    process.env.FAILING_CALL = '';
  }
}

(isLinux ? describe : describe.skip)('where no thread can be started', () => {
  const message =
    'oxws cannot start its I/O thread: Resource temporarily unavailable ' +
    '(os error 11)';
  const environment = isLinux ? failingCalls() : {};
  const run = (main, env) =>
    runNode(
      [
        '-e',
        `(${main})(${JSON.stringify(paths.oxws)}, ${constants.errno.EAGAIN})`
      ],
      { ...environment, ...env }
    );

  test.each([
    ['with libuv', { OXWS_DRIVER: 'thread' }],
    ['without', { OXWS_DRIVER: undefined, OXWS_UV: '0' }]
  ])('loading fails and can be tried again, %s', async (_, env) => {
    expect(await run(attempts, env)).toEqual({
      code: 0,
      signal: null,
      stdout: `${message}\n${message}\n1000\n`,
      stderr: ''
    });
    expect(await run(workers, env)).toEqual({
      code: 0,
      signal: null,
      stdout: `${message}\n0\n${message}\n3\n`,
      stderr: ''
    });
  });
});
