'use strict';

const { wsAndDrivers, linesOf, withoutUv } = require('../support/drivers');

/** Those where a thread reads while JavaScript is busy. */
const threads = [
  ...wsAndDrivers.filter(({ env }) => env.OXWS_DRIVER === 'thread'),
  // Without descriptors the JS thread reads.
  { ...withoutUv, env: { ...withoutUv.env, OXWS_ADOPT: undefined } }
];

/**
 * Short messages and one that takes long to inflate have been read when the
 * server terminates the connection, and JavaScript has seen none of them.
 */
async function terminateBehind({ Server }) {
  const { once } = require('events');
  const net = require('net');
  const { deflateRawSync } = require('zlib');

  const deflated = deflateRawSync(Buffer.alloc(4 << 20));
  const header = Buffer.from([0xc2, 0xfe, 0, 0, 0, 0, 0, 0]);

  header.writeUInt16BE(deflated.length, 2);

  const short = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x31]);
  const bytes = Buffer.concat([short, short, header, deflated, short]);
  const wss = new Server({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: true
  });

  await once(wss, 'listening');

  const socket = net.connect(wss.address().port, '127.0.0.1');
  const accepted = once(wss, 'connection');

  socket.on('error', () => {});
  socket.write(
    'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n' +
      'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Extensions: permessage-deflate\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
  );

  const [websocket] = await accepted;
  const { _socket: connection } = websocket;

  await once(socket, 'data');
  websocket.on('message', (data) => console.log('message', data.length));
  websocket.on('close', (code) => {
    console.log('close', code);
    wss.close();
  });

  const all = connection.bytesRead + bytes.length;

  socket.write(bytes);
  while (connection.bytesRead < all);
  websocket.terminate();
}

test.each(threads)(
  'what is delivered after terminate() has no gap ($name)',
  async (driver) => {
    // Either all that had come, or what was seen of it: nothing.
    expect(await linesOf(driver, terminateBehind)).toEqual(['close 1006']);
  }
);
