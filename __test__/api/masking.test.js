'use strict';

const { once } = require('events');

const { connect, dialRaw, serveRaw } = require('../support/connection');
const {
  describeEach,
  pairs,
  routedImplementations
} = require('../support/implementations');
const { KEY, OPCODE } = require('../support/wire');

const { close, ping, pong, text } = OPCODE;

describeEach(routedImplementations, 'the mask', (row) => {
  test('of each client frame comes from generateMask', async () => {
    const generateMask = jest.fn((buffer) => KEY.copy(buffer));
    const { websocket, peer } = await dialRaw(row, { generateMask });
    const actions = [
      () => websocket.send('Hello'),
      () => websocket.send(''),
      () => websocket.ping('p'),
      () => websocket.pong(),
      () => websocket.close(1000)
    ];

    for (const [index, action] of actions.entries()) {
      action();
      expect(generateMask).toHaveBeenCalledTimes(index + 1);
      expect(generateMask.mock.calls[index]).toHaveLength(1);
      expect(generateMask.mock.calls[index][0]).toHaveLength(4);
    }
    expect((await peer.bytes(11)).toString('hex')).toBe(
      '818537fa213d7f9f4d5158'
    );
    for (const opcode of [text, ping, pong, close]) {
      expect(await peer.frame()).toMatchObject({ opcode, key: KEY });
    }
  });

  test('may be zero', async () => {
    const { websocket, peer } = await dialRaw(row, {
      generateMask: (buffer) => buffer.fill(0)
    });

    websocket.send('Hello');
    expect((await peer.bytes(11)).toString('latin1')).toBe(
      '\x81\x85\0\0\0\0Hello'
    );
    websocket.send(Buffer.from('bytes'));
    expect(await peer.frame()).toMatchObject({
      key: Buffer.alloc(4),
      payload: Buffer.from('bytes')
    });
  });

  test.each([5, 126, 70000])('covers %p bytes', async (length) => {
    const { websocket, peer } = await dialRaw(row, {
      perMessageDeflate: false
    });
    const data = Buffer.alloc(length, 'abcdefg');

    websocket.send(data);
    websocket.send(data.toString());
    for (const opcode of [OPCODE.binary, text]) {
      const frame = await peer.frame();

      expect(frame.opcode).toBe(opcode);
      expect(frame.key).not.toBe(null);
      expect(frame.payload.equals(data)).toBe(true);
    }
  });

  test('is absent from the frames of a server', async () => {
    const { websocket, peer } = await serveRaw(row);

    websocket.send('x');
    websocket.ping();
    websocket.pong();
    websocket.close();
    for (const opcode of [text, ping, pong, close]) {
      expect(await peer.frame()).toMatchObject({ opcode, key: null });
    }
  });

  test('is absent from a client frame with mask: false', async () => {
    const { websocket, peer } = await dialRaw(row);

    websocket.send('x', { mask: false });
    websocket.ping('p', false);
    websocket.pong('q', false);
    websocket.send('y');
    expect(await peer.frame()).toMatchObject({ opcode: text, key: null });
    expect(await peer.frame()).toMatchObject({ opcode: ping, key: null });
    expect(await peer.frame()).toMatchObject({ opcode: pong, key: null });
    expect((await peer.frame()).key).toHaveLength(4);
  });

  test('is set on a server frame with mask: true', async () => {
    const { websocket, peer } = await serveRaw(row);

    websocket.send('x', { mask: true });
    websocket.ping('p', true);
    websocket.pong('q', true);
    for (const opcode of [text, ping, pong]) {
      const frame = await peer.frame();

      expect(frame.opcode).toBe(opcode);
      expect(frame.key).toHaveLength(4);
    }
  });
});

describeEach(pairs, 'a frame with the wrong mask', (pair) => {
  test('from the client ends the connection', async () => {
    const { client, server } = await connect(pair);
    const failed = new Promise((resolve) => server.on('error', resolve));
    const closed = once(client, 'close');

    client.send('x', { mask: false });
    expect((await failed).code).toBe('WS_ERR_EXPECTED_MASK');
    expect((await closed)[0]).toBe(1002);
  });

  test('from the server ends the connection', async () => {
    const { client, server } = await connect(pair);
    const failed = new Promise((resolve) => client.on('error', resolve));
    const closed = once(server, 'close');

    server.send('x', { mask: true });
    expect((await failed).code).toBe('WS_ERR_UNEXPECTED_MASK');
    expect((await closed)[0]).toBe(1002);
  });
});
