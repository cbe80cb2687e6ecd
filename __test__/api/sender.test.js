'use strict';

const { describeEach, implementations } = require('../support/implementations');
const { thrown } = require('../support/trace');
const { closePayload, KEY, parseFrames } = require('../support/wire');

/** A socket that only keeps what is written, in order. */
function recorder() {
  const socket = {
    destroyed: false,
    writableLength: 0,
    _writableState: { length: 0 },
    chunks: [],
    calls: [],
    cork: () => socket.calls.push('cork'),
    uncork: () => socket.calls.push('uncork'),
    write: (chunk, callback) => {
      socket.calls.push('write');
      socket.chunks.push(Buffer.from(chunk));
      if (typeof callback === 'function') process.nextTick(callback);
      return true;
    },
    frames: () => parseFrames(Buffer.concat(socket.chunks))
  };

  return socket;
}

const hex = (list) =>
  Buffer.concat(list.map((part) => Buffer.from(part))).toString('hex');

describeEach(implementations, 'Sender.frame()', ({ lib }) => {
  const { frame } = lib.Sender;

  test.each([
    ['text', 'Hello', { fin: true, opcode: 1 }, '810548656c6c6f'],
    ['a fragment', Buffer.from('Hel'), { fin: false, opcode: 1 }, '010348656c'],
    ['a continuation', Buffer.from('lo'), { fin: true, opcode: 0 }, '80026c6f'],
    [
      'a masked text',
      Buffer.from('Hello'),
      {
        fin: true,
        opcode: 1,
        mask: true,
        readOnly: true,
        generateMask: (buffer) => KEY.copy(buffer)
      },
      '818537fa213d7f9f4d5158'
    ],
    [
      'a masked string',
      'Hello',
      {
        fin: true,
        opcode: 1,
        mask: true,
        generateMask: (buffer) => KEY.copy(buffer)
      },
      '818537fa213d7f9f4d5158'
    ],
    [
      'a zero mask',
      Buffer.from('Hello'),
      {
        fin: true,
        opcode: 2,
        mask: true,
        generateMask: (buffer) => buffer.fill(0)
      },
      '82850000000048656c6c6f'
    ],
    ['RSV1', Buffer.from('x'), { fin: true, opcode: 2, rsv1: true }, 'c20178'],
    ['nothing', Buffer.alloc(0), { fin: true, opcode: 9 }, '8900'],
    [
      'a Uint8Array',
      Uint8Array.from([1, 2]),
      { fin: true, opcode: 2 },
      '82020102'
    ]
  ])('makes %s', (_, data, options, bytes) => {
    expect(hex(frame(data, { mask: false, rsv1: false, ...options }))).toBe(
      bytes
    );
  });

  test.each([
    [125, '827d'],
    [126, '827e007e'],
    [65535, '827effff'],
    [65536, '827f0000000000010000']
  ])('makes the header of %p bytes', (length, header) => {
    const list = frame(Buffer.alloc(length), { fin: true, opcode: 2 });

    expect(hex(list).slice(0, header.length)).toBe(header);
    expect(hex(list)).toHaveLength(header.length + length * 2);
  });

  test('gives one chunk for nothing and two for data', () => {
    const options = { fin: true, opcode: 2, mask: false, readOnly: true };
    const data = Buffer.from('data');

    expect(frame(Buffer.alloc(0), options)).toHaveLength(1);
    expect(frame(data, options)).toHaveLength(2);
    expect(frame(data, options)[1]).toBe(data);
  });

  test('leaves read-only data as it is', () => {
    const data = Buffer.alloc(20, 'a');

    frame(data, { fin: true, opcode: 2, mask: true, readOnly: true });
    expect(data.equals(Buffer.alloc(20, 'a'))).toBe(true);
  });

  test('takes a new random key each time', () => {
    const keys = Array.from({ length: 4 }, () =>
      hex(frame(Buffer.alloc(0), { fin: true, opcode: 9, mask: true })).slice(4)
    );

    expect(new Set(keys).size).toBe(4);
  });

  test('writes the key to maskBuffer', () => {
    const maskBuffer = Buffer.alloc(4);
    const list = frame(Buffer.alloc(0), {
      fin: true,
      opcode: 9,
      mask: true,
      maskBuffer,
      generateMask: (buffer) => buffer.fill(7)
    });

    expect(maskBuffer).toEqual(Buffer.alloc(4, 7));
    expect(hex(list)).toBe('898007070707');
  });
});

describeEach(implementations, 'a Sender', ({ lib }) => {
  const { PerMessageDeflate, Sender } = lib;

  test('sends text, bytes, pings, pongs and a close', () => {
    const socket = recorder();
    const sender = new Sender(socket);
    const options = { fin: true, compress: false, mask: false };

    sender.send('text', { ...options, binary: false });
    sender.send(Buffer.from('bytes'), { ...options, binary: true });
    sender.ping('ping', false);
    sender.pong(Buffer.from('pong'), false);
    sender.close(1000, 'Bye', false);
    expect(
      socket.frames().map(({ opcode, payload }) => [opcode, String(payload)])
    ).toEqual([
      [1, 'text'],
      [2, 'bytes'],
      [9, 'ping'],
      [10, 'pong'],
      [8, String(closePayload(1000, 'Bye'))]
    ]);
  });

  test.each([
    ['an ArrayBuffer', Uint8Array.from([97, 98]).buffer],
    ['a DataView', new DataView(Uint8Array.from([97, 98]).buffer)],
    ['a Uint16Array', new Uint16Array(Uint8Array.from([97, 98]).buffer)],
    ['an array', [97, 98]],
    ['a string', 'ab']
  ])('takes %s', (_, data) => {
    const socket = recorder();
    const sender = new Sender(socket);

    sender.send(data, { fin: true, binary: true, mask: false });
    sender.ping(data, true);
    sender.pong(data, true);
    expect(socket.frames().map(({ payload }) => String(payload))).toEqual([
      'ab',
      'ab',
      'ab'
    ]);
    expect(socket.frames().map(({ key }) => key !== null)).toEqual([
      false,
      true,
      true
    ]);
  });

  test('continues a message until fin', () => {
    const socket = recorder();
    const sender = new Sender(socket);

    sender.send('a', { fin: false, binary: false });
    sender.send('b', { fin: false, binary: false });
    sender.send('c', { fin: true, binary: false });
    sender.send('d', { fin: true, binary: false });
    expect(socket.frames().map(({ fin, opcode }) => [fin, opcode])).toEqual([
      [false, 1],
      [false, 0],
      [true, 0],
      [true, 1]
    ]);
  });

  test('corks the socket around two writes', () => {
    const socket = recorder();
    const sender = new Sender(socket);

    sender.send(Buffer.alloc(100000), { fin: true, binary: true });
    expect(socket.calls[0]).toBe('cork');
    expect(socket.calls[socket.calls.length - 1]).toBe('uncork');
  });

  test('sendFrame() writes what frame() made', async () => {
    const socket = recorder();
    const sender = new Sender(socket);
    const list = Sender.frame(Buffer.from('once for all'), {
      readOnly: false,
      mask: false,
      rsv1: false,
      opcode: 1,
      fin: true
    });

    await new Promise((resolve) => sender.sendFrame(list, resolve));
    expect(socket.frames()).toMatchObject([
      { opcode: 1, payload: Buffer.from('once for all') }
    ]);
  });

  test('refuses bad codes, reasons and long pings', () => {
    const sender = new Sender(recorder());

    expect(thrown(() => sender.close(1004)).class).toBe('TypeError');
    expect(thrown(() => sender.close('1000')).class).toBe('TypeError');
    expect(thrown(() => sender.close(1000, 'x'.repeat(124))).class).toBe(
      'RangeError'
    );
    expect(thrown(() => sender.ping(Buffer.alloc(126))).class).toBe(
      'RangeError'
    );
    expect(thrown(() => sender.pong('x'.repeat(126))).class).toBe('RangeError');
  });

  test('keeps the order behind compression', async () => {
    const socket = recorder();
    const deflate = new PerMessageDeflate({ threshold: 0 });

    deflate.accept([{}]);

    const sender = new Sender(socket, { 'permessage-deflate': deflate });
    const options = { fin: true, mask: false };
    const order = [];

    await new Promise((resolve) => {
      sender.send('compressed', { ...options, compress: true }, () =>
        order.push(1)
      );
      sender.ping('ping', false, () => order.push(2));
      sender.send('plain', { ...options, compress: false }, () =>
        order.push(3)
      );
      sender.close(1000, undefined, false, () => {
        order.push(4);
        resolve();
      });
    });
    expect(order).toEqual([1, 2, 3, 4]);
    expect(socket.frames().map(({ opcode, rsv }) => [opcode, rsv])).toEqual([
      [1, 4],
      [9, 0],
      [1, 0],
      [8, 0]
    ]);
    deflate.cleanup();
  });
});
