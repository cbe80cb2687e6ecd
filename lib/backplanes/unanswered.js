'use strict';

/**
 * Commands of a client of ioredis that sends nothing again: what was written to a
 * connection that breaks is neither resolved nor rejected by it.
 */
class Unanswered {
  /** @param {any} client */
  constructor(client) {
    this._client = client;
    this._commands = new Set();
    this._onReady = () => {
      // What had waited for the connection is written, too.
      for (const command of this._commands) command.isWritten = true;
    };
    this._onClose = () => {
      for (const command of this._commands) {
        if (command.isWritten) command.reject(new Error(LOST));
      }
    };

    client.on('ready', this._onReady);
    client.on('close', this._onClose);
  }

  /**
   * @param {Promise<any>} promise Of a command
   * @return {Promise<any>} One that settles
   */
  watch(promise) {
    return new Promise((resolve, reject) => {
      const command = { reject, isWritten: this._client.status === 'ready' };
      const isOver = () => this._commands.delete(command);

      this._commands.add(command);
      promise.then(resolve, reject).then(isOver);
    });
  }

  stop() {
    this._client.off('ready', this._onReady);
    this._client.off('close', this._onClose);
  }
}

const LOST = 'The connection to the broker has broken before it answered';

module.exports = Unanswered;
