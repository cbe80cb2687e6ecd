'use strict';

// How the programs of the documents are run. Each is a file of its own, on any
// port where it says 8080.

const { spawn } = require('child_process');
const { randomInt } = require('crypto');
const { once } = require('events');
const fs = require('fs');
const net = require('net');
const path = require('path');

const { WebSocket, WebSocketServer } = require('ws');

const { root } = require('../../support/child');
const {
  onRelease,
  trackWebSocket,
  trackWebSocketServer
} = require('../../support/resources');

const HELLO = 'Hello';

/**
 * A port for a program of its own. It is none that the system gives to who
 * takes any: it could be gone before the program has it.
 */
async function findPort() {
  for (;;) {
    const server = net.createServer().listen(randomInt(10000, 32768));

    try {
      await once(server, 'listening');
    } catch (err) {
      if (err.code !== 'EADDRINUSE') throw err;
      continue;
    }

    const { port } = server.address();

    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Starts a program; `output()` waits for its end and has what it printed. */
function start(code, port) {
  const isModule = /^import /m.test(code);
  const directory = path.join(root, 'target');

  fs.mkdirSync(directory, { recursive: true });

  // In the root, where "oxws" and the packages of the tests are found.
  const place = fs.mkdtempSync(path.join(directory, 'document-'));
  const file = path.join(place, isModule ? 'program.mjs' : 'program.js');

  fs.writeFileSync(file, code.replaceAll('8080', port));

  const child = spawn(process.execPath, [file], { stdio: 'pipe' });
  let output = '';
  let errors = '';

  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));

  const closed = once(child, 'close');

  onRelease(async () => {
    child.kill('SIGKILL');
    await closed;
    fs.rmSync(place, { recursive: true });
  });
  return {
    child,
    output: async () => {
      const [code] = await closed;

      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      return output;
    }
  };
}

/** A server for the program to talk to. It closes after each echo if asked. */
async function serve(port, closes) {
  const wss = trackWebSocketServer(new WebSocketServer({ port }));

  wss.on('connection', (ws) => {
    ws.on('message', (data, isBinary) => {
      ws.send(data, { binary: isBinary });
      if (closes) ws.close();
    });
  });
  await once(wss, 'listening');
}

/** A client of the program, which may not listen yet. */
async function connect(url) {
  for (;;) {
    const ws = trackWebSocket(new WebSocket(url));

    try {
      await once(ws, 'open');
      return ws;
    } catch (err) {
      if (err.code !== 'ECONNREFUSED') throw err;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const STAGES = {
  /** By itself, to its end. */
  async program(code) {
    return start(code, await findPort()).output();
  },

  /** With a server that echoes once. */
  async client(code) {
    const port = await findPort();

    await serve(port, true);
    return start(code, port).output();
  },

  /** With a server that echoes, and input that ends. */
  async pipe(code) {
    const port = await findPort();

    await serve(port, false);

    const { child, output } = start(code, port);

    child.stdin.write(HELLO);
    child.stdout.once('data', () => child.stdin.end());
    return output();
  },

  /** With two clients: what one says, one of them hears. */
  async server(code, address = '/') {
    const port = await findPort();
    const { child } = start(code, port);
    const failed = once(child, 'exit').then(() => {
      throw new Error(`It ended:\n${code}`);
    });
    const clients = await Promise.race([
      failed,
      Promise.all([1, 2].map(() => connect(`ws://localhost:${port}${address}`)))
    ]);
    const heard = Promise.race(
      clients.map(async (ws) => String((await once(ws, 'message'))[0]))
    );

    failed.catch(() => {});
    clients[0].send(HELLO);
    expect(await heard).toContain(HELLO);
  }
};

/**
 * Runs a program on the stage that its marker names, `run as: STAGE [ARGUMENT]`.
 *
 * @returns {Promise<string|undefined>} what it printed
 */
function run({ code, marker }) {
  const [, name = 'program', argument] =
    /^run as: (\w+)(?: (\S+))?$/.exec(marker || '') || [];

  return STAGES[name](code, argument);
}

module.exports = { STAGES, run };
