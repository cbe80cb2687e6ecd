'use strict';

const { anyDriver, wsAndDrivers, linesOf } = require('../support/drivers');
const { describeEach } = require('../support/implementations');

const MAX_PAYLOAD = 1 << 20;

/**
 * Sends 4 GiB of zeros in 4 MB to a server of this process, in `count` frames
 * of one message. Prints how it ended, and by how many MiB memory grew.
 */
function bomb({ WebSocketServer }, count, maxPayload) {
  const net = require('net');
  const zlib = require('zlib');

  const UNIT = 1 << 24;
  const UNITS = 256;
  const unit = zlib.deflateRawSync(Buffer.alloc(UNIT), {
    finishFlush: zlib.constants.Z_FULL_FLUSH
  });
  const payload = Buffer.concat(Array(UNITS / count).fill(unit));
  const request = [
    'GET / HTTP/1.1',
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Extensions: permessage-deflate',
    '\r\n'
  ].join('\r\n');
  const wss = new WebSocketServer({
    port: 0,
    perMessageDeflate: true,
    maxPayload
  });

  // A masking key of zeros leaves the payload as it is.
  function header(index) {
    const bytes = Buffer.alloc(14);

    bytes[0] = index === 0 ? 0x42 : 0;
    if (index === count - 1) bytes[0] |= 0x80;
    bytes[1] = 0xff;
    bytes.writeBigUInt64BE(BigInt(payload.length), 2);
    return bytes;
  }

  let before;

  wss.on('listening', () => {
    const socket = net.connect(wss.address().port);

    socket.on('error', () => {});
    socket.write(request);
    socket.once('data', () => {
      before = process.resourceUsage().maxRSS;
      for (let index = 0; index < count; index++) {
        socket.write(header(index));
        socket.write(payload);
      }
      socket.once('data', (frame) => {
        console.log(frame.readUInt16BE(2));
        socket.destroy();
      });
    });
  });
  wss.on('connection', (websocket) => {
    websocket.on('message', () => console.log('message'));
    websocket.on('error', (err) => console.log(err.code));
    websocket.on('close', () => {
      console.log((process.resourceUsage().maxRSS - before) >> 10);
      wss.close();
    });
  });
}

describeEach([...wsAndDrivers, anyDriver], 'a bomb', (driver) => {
  test.each([
    ['whose frame is longer than maxPayload', 1, MAX_PAYLOAD],
    ['in one frame', 1, 5 << 20],
    ['in many frames', 256, MAX_PAYLOAD]
  ])('%s is defused', async (_, count, maxPayload) => {
    const lines = await linesOf(driver, bomb, { args: [count, maxPayload] });
    const growth = Number(lines.pop());

    expect(lines.sort()).toEqual(['1009', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']);
    expect(growth).toBeLessThan(64);
  });
});
