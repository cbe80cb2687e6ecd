'use strict';

const { errno } = require('os').constants;

const { linesOf, ownDrivers } = require('../support/drivers');
const { failingCalls } = require('../support/failing-calls');
const { describeEach } = require('../support/implementations');
const { linkLocalAddress } = require('../support/link-local');

const isLinux = process.platform === 'linux';

/** What a client says of each target while a call fails, a line each. */
async function failures(WebSocket, call, targets) {
  const dns = require('dns');
  const { isIP } = require('net');
  const hosts = {
    two: ['127.0.0.1', '127.0.0.2'],
    both: ['::1', '127.0.0.1'],
    unreachable: ['ff02::1', 'ff02::2'],
    mixed: ['ff02::1', '127.0.0.1']
  };
  const describe = (err) => ({
    type: err.constructor.name,
    text: String(err),
    properties: { ...err },
    errors: err.errors && err.errors.map(describe)
  });

  dns.lookup = (name, { all }, callback) => {
    const [first, ...others] = hosts[name].map((address) => ({
      address,
      family: isIP(address)
    }));

    if (all) process.nextTick(callback, null, [first, ...others]);
    else process.nextTick(callback, null, first.address, first.family);
  };

  for (const target of targets) {
    process.env.FAILING_CALL = call;
    await new Promise((resolve) => {
      const client = new WebSocket(target);

      client.on('error', (err) => {
        console.log(JSON.stringify({ target, ...describe(err) }));
      });
      client.on('close', (code) => {
        console.log(code);
        resolve();
      });
    });
    process.env.FAILING_CALL = '';
  }
}

describeEach(isLinux ? ownDrivers : [], 'a dial that fails', (driver) => {
  const preloaded = failingCalls();
  const run = ({ library, env }, call, targets) =>
    linesOf({ library, env: { ...env, ...preloaded } }, failures, {
      args: [call, targets]
    });

  test.each([
    ['EMFILE', 'no descriptor'],
    ['ENFILE', 'no descriptor of the system'],
    ['EAFNOSUPPORT', 'no such family'],
    ['ENOBUFS', 'no memory']
  ])('with %s, %s, tells what it does with ws', async (code) => {
    const targets = ['127.0.0.1:1', '[::1]:1', 'two:1', 'both:1']
      .map((host) => `ws://${host}`)
      .concat('ws+unix:/nowhere:/');
    const call = `socket ${errno[code]}`;
    const lines = await run(driver, call, targets);

    expect(lines).toEqual(await run({ library: 'ws' }, call, targets));
    expect(JSON.parse(lines[0])).toMatchObject({
      text: `Error: connect ${code} 127.0.0.1:1 - Local (undefined:undefined)`
    });
    expect(lines).toHaveLength(2 * targets.length);
  });

  test('because of its address tells what it does with ws', async () => {
    const targets = [
      '127.0.0.1:1',
      '[::1]:1',
      '[ff02::1]:1',
      // Whether it leads anywhere without its zone depends on the version of Node.
      `[${linkLocalAddress()}]:1`,
      '255.255.255.255:1',
      'two:1',
      'both:1',
      'unreachable:1',
      'mixed:1'
    ].map((host) => `ws://${host}`);
    const lines = await run(driver, '', targets);

    expect(lines).toEqual(await run({ library: 'ws' }, '', targets));
  });
});
