'use strict';

/**
 * Sockets that a server's WebSockets talk to, and that do nothing but read:
 * `node readers.js '{"port":…,"connections":…}'`. Of all `stalled` never read
 * on once they are open; `pace` is how many bytes a second each reads at most.
 */
const net = require('net');

const settings = JSON.parse(process.argv[2]);
const { connections, pace, port, stalled = 0 } = settings;

const REQUEST =
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n' +
  'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** Opened at a time. */
const TOGETHER = 32;

const buffer = Buffer.allocUnsafe(256 * 1024);
let opened = 0;

function open() {
  if (opened === connections) return;

  const isStalled = opened++ < stalled;
  let isOpen = false;
  const socket = net.connect({
    host: '127.0.0.1',
    port,
    onread: {
      buffer,
      callback(length) {
        if (!isOpen) {
          isOpen = true;
          open();
          return !isStalled;
        }
        if (pace !== undefined) {
          setTimeout(() => socket.resume(), (length / pace) * 1000);
          return false;
        }
        return true;
      }
    }
  });

  socket.write(REQUEST);
  socket.on('error', () => {});
}

for (let index = 0; index < TOGETHER; index++) open();
