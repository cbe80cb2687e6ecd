'use strict';

const { createHash, randomBytes } = require('crypto');

const { kConnection } = require('../../lib/constants');
const { oxws } = require('../support/implementations');
const { bothWays, describeRoutes, messages } = require('./support/matrix');

const MiB = 1 << 20;

describeRoutes('messages', (open, route) => {
  test('take the way of the route', async () => {
    const { server, client } = await open();

    for (const [websocket, connection] of [
      [server, route.connection],
      [client, route.clientConnection || route.connection]
    ]) {
      if (websocket instanceof oxws) {
        expect(websocket[kConnection].constructor.name).toBe(connection);
      }
    }
  });

  test('are text or binary', async () => {
    const connection = await open();
    const { client, closed, events } = connection;
    const bytes = Buffer.from([0, 1, 127, 128, 255]);

    await bothWays(connection, async (from, to) => {
      const arrival = messages(to, 5);

      from.send('hello');
      from.send('gr\u00fc\u00df \ud83d\ude00');
      from.send(bytes);
      from.send(new Uint8Array([104, 105]).buffer);
      from.send('as binary', { binary: true });
      await arrival;
    });
    client.close();
    await closed;

    const received = [
      '1 message text Buffer(5) hello',
      `1 message text Buffer(11) ${latin1('gr\u00fc\u00df \ud83d\ude00')}`,
      `1 message binary Buffer(5) ${bytes.toString('latin1')}`,
      '1 message binary Buffer(2) hi',
      '1 message binary Buffer(9) as binary',
      '3 close 1005 Buffer(0) '
    ];

    expect(events).toEqual({ server: received, client: received });
  });

  test('may be empty', async () => {
    const connection = await open();
    const { server, closed, events } = connection;

    await bothWays(connection, async (from, to) => {
      const arrival = messages(to, 4);

      from.send('');
      from.send(Buffer.alloc(0));
      from.send('', { fin: false });
      from.send('');
      from.send('end');
      await arrival;
    });
    server.close();
    await closed;

    const received = [
      '1 message text Buffer(0) ',
      '1 message binary Buffer(0) ',
      '1 message text Buffer(0) ',
      '1 message text Buffer(3) end',
      '3 close 1005 Buffer(0) '
    ];

    expect(events).toEqual({ server: received, client: received });
  });

  test.each([125, 126, 65535, 65536])('may have %i bytes', async (size) => {
    const connection = await open();
    const data = randomBytes(size);

    await bothWays(connection, async (from, to) => {
      const arrival = messages(to, 3);

      from.send(data);
      from.send(data.toString('hex').slice(size));
      from.send('end');

      const [[binary], [text], [end]] = await arrival;

      expect(binary.equals(data)).toBe(true);
      expect(String(text)).toBe(data.toString('hex').slice(size));
      expect(String(end)).toBe('end');
    });
  });

  test('may have 1 MiB, text and binary, and are not changed', async () => {
    const connection = await open();
    const { client, closed, events } = connection;
    const binary = randomBytes(MiB);
    const before = sha1(binary);
    const text = randomBytes(MiB / 2).toString('hex');

    await bothWays(connection, async (from, to) => {
      const arrival = messages(to, 3);

      from.send(binary);
      from.send(text);
      from.send(binary);
      await arrival;
    });
    client.close(1000);
    await closed;
    expect(sha1(binary)).toBe(before);

    const received = [
      `1 message binary Buffer(${MiB}) ${before}`,
      `1 message text Buffer(${MiB}) ${sha1(text)}`,
      `1 message binary Buffer(${MiB}) ${before}`,
      '3 close 1000 Buffer(0) '
    ];

    expect(events).toEqual({ server: received, client: received });
  });

  test('may come in fragments, with pings between them', async () => {
    const connection = await open();
    const { client, closed, events } = connection;

    await bothWays(connection, async (from, to) => {
      const arrival = messages(to, 3);

      from.send('one ', { fin: false });
      from.send('two ', { fin: false });
      from.ping('between');
      from.send('three');
      from.send(Buffer.from('1'), { fin: false });
      from.send(Buffer.alloc(0), { fin: false });
      from.send(Buffer.from('2'));
      from.send('whole');
      await arrival;
    });
    client.close();
    await closed;

    const received = [
      '1 ping Buffer(7) between',
      '1 message text Buffer(13) one two three',
      '1 message binary Buffer(2) 12',
      '1 message text Buffer(5) whole'
    ];
    const ending = '3 close 1005 Buffer(0) ';

    expect(events.server.filter(isNoPong)).toEqual([...received, ending]);
    expect(events.client.filter(isNoPong)).toEqual([...received, ending]);
  });

  test('have the type that binaryType says', async () => {
    const connection = await open();

    await bothWays(connection, async (from, to) => {
      const received = [];
      const types = ['fragments', 'arraybuffer', 'blob', 'nodebuffer'];
      const arrival = messages(to, types.length * 2);

      to.binaryType = types.shift();
      to.on('message', (data) => {
        received.push(data);
        if (received.length % 2 === 0) to.binaryType = types.shift();
      });
      for (let count = 0; count < 4; count++) {
        from.send(Buffer.from('12'), { fin: false });
        from.send(Buffer.from('3'));
        from.send('text');
      }
      await arrival;
      expect(received.filter((_, index) => index % 2).map(String)).toEqual(
        Array(4).fill('text')
      );

      const [fragments, arrayBuffer, blob, buffer] = received.filter(
        (_, index) => index % 2 === 0
      );

      expect(fragments.map(String)).toEqual(['12', '3']);
      expect(arrayBuffer.constructor.name).toBe('ArrayBuffer');
      expect(Buffer.from(arrayBuffer).toString()).toBe('123');
      expect(await blob.text()).toBe('123');
      expect(Buffer.isBuffer(buffer)).toBe(true);
      expect(String(buffer)).toBe('123');
    });
  });

  test('keep their order, Blobs and all', async () => {
    const connection = await open();

    await bothWays(connection, async (from, to) => {
      const arrival = messages(to, 300);

      for (let index = 0; index < 300; index++) {
        const data = `${index}`;

        from.send(index % 50 === 7 ? new Blob([data]) : data);
      }
      expect((await arrival).map(([data]) => Number(data))).toEqual(
        Array.from({ length: 300 }, (_, index) => index)
      );
    });
  });

  test('may be answered in the listener', async () => {
    const { server, client } = await open();
    const arrival = messages(client, 100);

    server.on('message', (data, binary) => server.send(data, { binary }));
    for (let index = 0; index < 100; index++) client.send(`${index}`);
    expect((await arrival).map(([data]) => Number(data))).toEqual(
      Array.from({ length: 100 }, (_, index) => index)
    );
  });

  test('have callbacks, called later and in order', async () => {
    const connection = await open();

    await bothWays(connection, async (from, to) => {
      const order = [];
      const arrival = messages(to, 3);
      const sent = new Promise((resolve) => {
        from.send('1', (err) => order.push(['1', err == null]));
        from.send(Buffer.alloc(100000), (err) =>
          order.push(['2', err == null])
        );
        from.ping('p', undefined, (err) => order.push(['p', err == null]));
        from.send('3', (err) => {
          order.push(['3', err == null]);
          resolve();
        });
      });

      expect(order).toEqual([]);
      await Promise.all([sent, arrival]);
      expect(order).toEqual([
        ['1', true],
        ['2', true],
        ['p', true],
        ['3', true]
      ]);
    });
  });

  test('use the masks of generateMask', async () => {
    let count = 0;
    const { server, client } = await open({
      client: {
        generateMask(mask) {
          count++;
          mask.fill(count);
        }
      }
    });
    const arrival = messages(server, 2);

    client.send('masked');
    client.send(Buffer.alloc(70000, 'x'));
    expect((await arrival).map(([data]) => data.length)).toEqual([6, 70000]);
    expect(count).toBe(2);
  });
});

function isNoPong(line) {
  return !line.startsWith('1 pong');
}

function latin1(text) {
  return Buffer.from(text).toString('latin1');
}

function sha1(data) {
  return createHash('sha1').update(data).digest('hex');
}
