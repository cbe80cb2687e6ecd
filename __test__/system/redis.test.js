'use strict';

const { once } = require('events');
const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const { WebSocket } = require('../..');
const { Program } = require('../support/program');
const { onRelease, trackWebSocket } = require('../support/resources');
const { find } = require('./support/requirements');

/** A Redis of its own; resolves its URL. */
async function startRedis() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-redis-'));
  const socket = path.join(directory, 'socket');
  const redis = spawn(
    find('redis-server'),
    ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', directory],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  );
  const exited = once(redis, 'exit');

  onRelease(async () => {
    redis.kill('SIGTERM');
    await exited;
    fs.rmSync(directory, { recursive: true });
  });
  for await (const chunk of redis.stdout) {
    if (String(chunk).includes('ready to accept connections')) break;
  }
  return { redis, url: socket };
}

async function connect(url) {
  const ws = trackWebSocket(new WebSocket(url));

  await once(ws, 'open');
  return ws;
}

test('servers pass on messages through Redis', async () => {
  const { url } = await startRedis();
  const program = new Program('examples/redis.js', {
    args: ['0', '0', '0'],
    env: { REDIS_URL: url }
  });
  const urls = [await program.url(), await program.url(), await program.url()];
  const clients = await Promise.all(urls.map(connect));
  const heard = clients.map((ws) => once(ws, 'message'));

  expect(new Set(urls).size).toBe(3);
  clients[0].send('grüße 🦀');
  for (const [data, isBinary] of await Promise.all(heard)) {
    expect([String(data), isBinary]).toEqual(['grüße 🦀', false]);
  }
  expect(await program.stop()).toMatchObject({ stderr: '' });
});
