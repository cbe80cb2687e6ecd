'use strict';

const { spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const os = require('os');
const path = require('path');

const { onRelease } = require('../../support/resources');
const { find } = require('./requirements');

/** A directory that is there as long as the test. */
function makeDirectory() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-broker-'));

  onRelease(() => fs.rmSync(directory, { recursive: true }));
  return directory;
}

/** A broker of its own, which ends with the test. */
class Broker {
  /** @return {Promise<Broker>} Ready for connections */
  static async start() {
    const broker = new this();

    onRelease(() => broker.stop());
    await broker.start();
    return broker;
  }

  constructor(directory = makeDirectory()) {
    this.directory = directory;
  }

  async start() {
    const { program, args, isReady } = this.command();

    this.process = spawn(find(program), args, {
      stdio: ['ignore', 'pipe', 'pipe']
    });
    this.exited = once(this.process, 'exit');

    let said = '';
    const ready = new Promise((resolve) => {
      for (const stream of [this.process.stdout, this.process.stderr]) {
        stream.on('data', (chunk) => {
          said += chunk;
          if (isReady(said)) resolve(said);
        });
      }
    });

    await Promise.race([
      ready,
      this.exited.then(() => {
        throw new Error(`${program} did not start: ${said}`);
      })
    ]);
  }

  /** At once, as if it had crashed. */
  async stop() {
    this.process.kill('SIGKILL');
    await this.exited;
  }

  pause() {
    this.process.kill('SIGSTOP');
  }

  resume() {
    this.process.kill('SIGCONT');
  }
}

/** Listens on a Unix domain socket, so that it has the same address again. */
class Redis extends Broker {
  get socket() {
    return path.join(this.directory, 'socket');
  }

  command() {
    return {
      program: 'redis-server',
      args: [
        ...['--port', '0', '--unixsocket', this.socket],
        ...['--save', '', '--dir', this.directory]
      ],
      isReady: (said) => said.includes('ready to accept connections')
    };
  }
}

/** Listens on any free port, and on the same one again. */
class Nats extends Broker {
  port = -1;

  get url() {
    return `nats://127.0.0.1:${this.port}`;
  }

  command() {
    return {
      program: 'nats-server',
      args: ['--addr', '127.0.0.1', '--port', `${this.port}`],
      isReady: (said) => {
        const found = /connections on 127\.0\.0\.1:(\d+)/.exec(said);

        if (found) this.port = Number(found[1]);
        return found !== null && said.includes('Server is ready');
      }
    };
  }
}

module.exports = { Broker, Nats, Redis, makeDirectory };
