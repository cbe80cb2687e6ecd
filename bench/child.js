'use strict';

const { spawn } = require('child_process');
const readline = require('readline');

/** Variables that would change what a peer is. */
const OWN = /^(OXWS_|WS_NO_|NODE_OPTIONS$)/;

/**
 * A process that is talked to by lines.
 */
class Child {
  /** @param {import('./peers').Command} command */
  constructor({ file, args, env }) {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !OWN.test(name)
    );

    this._errors = '';
    this._process = spawn(file, args, {
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ['pipe', 'pipe', 'pipe']
    });
    this._closed = new Promise((resolve) => {
      this._process.on('close', resolve);
      this._process.on('error', (err) => {
        this._errors += err.message;
        resolve();
      });
    });
    // A process that ends early is noticed where its line is awaited.
    this._process.stdin.on('error', () => {});
    this._process.stderr.on('data', (chunk) => {
      this._errors = (this._errors + chunk).slice(-2000);
    });

    const lines = readline.createInterface({ input: this._process.stdout });

    this._lines = lines[Symbol.asyncIterator]();
  }

  /** @type {number} */
  get pid() {
    return this._process.pid;
  }

  /** The next line the process prints. @returns {Promise<string>} */
  async line() {
    const { done, value } = await this._lines.next();

    if (!done) return value;

    await this._closed;
    throw new Error(this._errors.trim() || 'the process ended');
  }

  /** Says a line, and awaits the answer. @returns {Promise<string>} */
  ask(text) {
    this._process.stdin.write(`${text}\n`);
    return this.line();
  }

  /** Adds what the process has to say to an error. */
  explain(err) {
    const text = this._errors.trim();

    if (!err.message.includes(text)) err.message += `; ${text}`;
  }

  /** Ends the process. */
  async stop() {
    this._process.kill('SIGKILL');
    await this._closed;
  }
}

/**
 * Runs `work` with a child that does not outlive it.
 *
 * @template T
 * @param {import('./peers').Command} command
 * @param {function(Child): Promise<T>} work
 * @returns {Promise<T>}
 */
async function withChild(command, work) {
  const child = new Child(command);

  try {
    return await work(child);
  } catch (err) {
    await child.stop();
    child.explain(err);
    throw err;
  } finally {
    await child.stop();
  }
}

/**
 * The same with several children.
 *
 * @template T
 * @param {import('./peers').Command[]} commands
 * @param {function(Child[]): Promise<T>} work
 * @param {Child[]} [children] Those that are there
 * @returns {Promise<T>}
 */
function withChildren(commands, work, children = []) {
  if (children.length === commands.length) return work(children);

  return withChild(commands[children.length], (child) =>
    withChildren(commands, work, [...children, child])
  );
}

module.exports = { withChild, withChildren };
