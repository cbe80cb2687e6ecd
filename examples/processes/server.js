'use strict';

// A chat over three processes and Redis: `npm run example:chat`, then open two of
// the pages that it names. REDIS_URL names a Redis that is there; otherwise one is
// started. PORT names another first port.

const { fork, spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const os = require('os');
const path = require('path');

const PROCESSES = 3;
const PROGRAMS = ['redis-server', 'valkey-server'];

const { PORT = '8080', REDIS_URL } = process.env;

async function main() {
  const program = REDIS_URL ? undefined : findProgram();

  if (!REDIS_URL && !program) {
    console.error(
      'This example needs Redis. There is no redis-server and no ' +
        'valkey-server on the PATH, and REDIS_URL names none.\n' +
        'On Debian and Ubuntu: apt-get install redis-server; on macOS: ' +
        'brew install redis'
    );
    process.exitCode = 1;
    return;
  }

  const redis = program ? await startRedis(program) : undefined;
  const servers = Array.from({ length: PROCESSES }, (_, index) =>
    fork(path.join(__dirname, 'process.js'), {
      env: {
        ...process.env,
        NAME: `process ${index + 1}`,
        // 0 is any port that is free.
        PORT: PORT === '0' ? '0' : `${Number(PORT) + index}`,
        REDIS: redis?.socket ?? REDIS_URL
      }
    })
  );

  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => servers.forEach((server) => server.kill()));
  }

  await Promise.all(servers.map((server) => once(server, 'exit')));
  await redis?.stop();
}

/** The path of the first program that is there. */
function findProgram() {
  const directories = (process.env.PATH ?? '').split(path.delimiter);

  return PROGRAMS.flatMap((name) =>
    directories.map((directory) => path.join(directory, name))
  ).find((file) => fs.existsSync(file));
}

/** One that listens on a socket of its own, and keeps nothing. */
async function startRedis(program) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'chat-'));
  const socket = path.join(directory, 'redis');
  const redis = spawn(
    program,
    ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', directory],
    // Ctrl+C is for the servers first.
    { detached: true, stdio: ['ignore', 'pipe', 'inherit'] }
  );
  const exited = once(redis, 'exit');

  await new Promise((resolve) => {
    redis.stdout.on('data', (text) => {
      if (text.includes('ready to accept connections')) resolve();
    });
  });
  return {
    socket,
    async stop() {
      redis.kill();
      await exited;
      fs.rmSync(directory, { recursive: true });
    }
  };
}

main();
