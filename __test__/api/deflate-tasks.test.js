'use strict';

const { PerMessageDeflate } = require('../..');

const { runInChild } = require('../support/child');
const { connect } = require('../support/connection');
const { onRelease } = require('../support/resources');
const {
  describeEach,
  implementations,
  routedPairs
} = require('../support/implementations');

const MIB = 1024 * 1024;

/** Text that takes a while to compress. */
const long = Array.from({ length: 400000 }, (_, index) =>
  ((index * 7919) % 1000003).toString(36)
)
  .join(' ')
  .slice(0, 2 * MIB);

/** How often the event loop turned until `promise` was settled. */
async function turnsUntil(promise) {
  let turns = 0;
  let immediate = setImmediate(function count() {
    turns++;
    immediate = setImmediate(count);
  });

  onRelease(() => clearImmediate(immediate));
  await promise;
  clearImmediate(immediate);

  return turns;
}

function negotiated({ PerMessageDeflate }, options, params = {}) {
  const extension = new PerMessageDeflate(options);

  extension.accept([params]);
  onRelease(() => extension.cleanup());

  return extension;
}

const call = (extension, method, data) =>
  new Promise((resolve, reject) => {
    extension[method](data, true, (err, output) =>
      err ? reject(err) : resolve(output)
    );
  });

describeEach(implementations, 'PerMessageDeflate', ({ name, lib }) => {
  test('works while JavaScript runs', async () => {
    const extension = negotiated(lib);
    const compressed = call(extension, 'compress', long);

    expect(await turnsUntil(compressed)).toBeGreaterThan(0);

    const inflated = call(extension, 'decompress', await compressed);

    expect(await turnsUntil(inflated)).toBeGreaterThan(0);
    expect(String(await inflated) === long).toBe(true);
  });

  test('takes strings and bytes', async () => {
    const extension = negotiated(lib);

    for (const data of ['some text € 𝄞', Buffer.from('some bytes')]) {
      const compressed = await call(extension, 'compress', data);
      const inflated = await call(extension, 'decompress', compressed);

      expect(inflated).toEqual(Buffer.from(data));
    }
  });

  test('keeps the process alive until it calls back', async () => {
    const { stdout, code } = await runInChild(name, ({ PerMessageDeflate }) => {
      const extension = new PerMessageDeflate({});

      extension.accept([{}]);
      extension.compress('x'.repeat(1000000), true, (err, compressed) => {
        console.log('compressed');
        extension.decompress(compressed, true, (err, data) => {
          console.log(data.length);
          extension.cleanup();
        });
      });
    });

    expect([code, stdout]).toEqual([0, 'compressed\n1000000\n']);
  });

  test('can be used again after cleanup()', async () => {
    const extension = negotiated(lib);

    await call(extension, 'compress', 'one');
    extension.cleanup();

    const compressed = await call(extension, 'compress', 'two');

    expect(String(await call(extension, 'decompress', compressed))).toBe('two');
  });

  test('calls what throws an uncaughtException, not a rejection', async () => {
    const { stdout } = await runInChild(name, ({ PerMessageDeflate }) => {
      const extension = new PerMessageDeflate({});

      extension.accept([{}]);
      process.on('uncaughtException', (err, origin) => {
        console.log(err.message, origin);
        process.exit();
      });
      extension.compress('x', true, () => {
        throw new Error('mine');
      });
    });

    expect(stdout).toBe('mine uncaughtException\n');
  });
});

describe('PerMessageDeflate of oxws', () => {
  test('keeps the order of calls that overlap', async () => {
    const extension = negotiated({ PerMessageDeflate });
    const texts = ['short', long, '', 'short again', long.slice(100), 'end'];
    const compressed = await Promise.all(
      texts.map((text) => call(extension, 'compress', text))
    );
    const inflated = await Promise.all(
      compressed.map((data) => call(extension, 'decompress', data))
    );

    expect(inflated.map((data, i) => String(data) === texts[i])).toEqual(
      texts.map(() => true)
    );
  });

  test('tells all who wait of cleanup()', () => {
    const extension = negotiated({ PerMessageDeflate });
    const messages = [];

    for (const text of [long, 'short']) {
      extension.compress(text, true, (err) => messages.push(err.message));
    }
    extension.decompress(Buffer.from([0]), true, () => messages.push('never'));
    extension.cleanup();
    expect(messages).toEqual(
      Array(2).fill(
        'The deflate stream was closed while data was being processed'
      )
    );
  });

  test.each([0, 1, 3])('obeys a concurrencyLimit of %d', async (limit) => {
    const { stdout, stderr } = await runInChild(
      'oxws',
      ({ PerMessageDeflate }, limit) => {
        for (let i = 0; i < 8; i++) {
          const extension = new PerMessageDeflate({ concurrencyLimit: limit });

          extension.accept([{}]);
          extension.compress('x'.repeat(100000), true, () => {
            process.stdout.write('x');
          });
        }
      },
      { args: [limit] }
    );

    expect([stdout, stderr]).toEqual(['x'.repeat(8), '']);
  });
});

describeEach(routedPairs, 'a long compressed message', (pair) => {
  test('leaves the event loop alone', async () => {
    const { client, server } = await connect(pair, {
      server: { perMessageDeflate: true },
      client: { perMessageDeflate: true }
    });
    const echoed = new Promise((resolve) => client.on('message', resolve));

    server.on('message', (data) => server.send(data, { binary: false }));
    client.send(long);
    expect(await turnsUntil(echoed)).toBeGreaterThan(6);
    expect(String(await echoed) === long).toBe(true);
  });
});
