'use strict';

const { spawn } = require('child_process');
const path = require('path');
const readline = require('readline');

const { root } = require('./child');
const { onRelease } = require('./resources');

/** A Node program of this repository that runs until the test is over. */
class Program {
  #lines = [];
  #readers = [];
  #hasEnded = false;

  /**
   * @param {string} file within the root
   * @param {{ args?: string[], env?: object, port?: number }} [options] the
   *     program listens on any free port unless `env` has another
   */
  constructor(file, { args = [], env = {} } = {}) {
    this.child = spawn(process.execPath, [path.join(root, file), ...args], {
      env: { ...process.env, PORT: '0', ...env },
      stdio: 'pipe'
    });
    this.stderr = '';
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        this.#hasEnded = true;
        this.#readers.splice(0).forEach(({ fail }) => fail());
        resolve({ code, signal, stderr: this.stderr });
      });
    });
    readline
      .createInterface({ input: this.child.stdout })
      .on('line', (line) => {
        this.#lines.push(line);
        this.#serve();
      });
    onRelease(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** The next line that it prints and that matches, as the match. */
  line(pattern) {
    return new Promise((resolve, reject) => {
      const fail = () =>
        reject(new Error(`No line like ${pattern}\n${this.stderr}`));

      this.#readers.push({ pattern, resolve, fail });
      this.#serve();
      // Of no effect if the line was there.
      if (this.#hasEnded) fail();
    });
  }

  /** The address that it says it listens on. */
  async url() {
    return (await this.line(/Listening on (\S+?)(?:,|$)/))[1];
  }

  /** Ends it by a signal; resolves when it has ended. */
  stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    return this.ended;
  }

  #serve() {
    while (this.#readers.length > 0) {
      const [{ pattern, resolve }] = this.#readers;
      const match = this.#take(pattern);

      if (match === null) return;
      this.#readers.shift();
      resolve(match);
    }
  }

  #take(pattern) {
    for (const [index, line] of this.#lines.entries()) {
      const match = pattern.exec(line);

      if (match) {
        this.#lines.splice(0, index + 1);
        return match;
      }
    }
    return null;
  }
}

module.exports = { Program };
