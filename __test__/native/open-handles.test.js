'use strict';

const { once } = require('events');

const { paths, runNode } = require('../support/child');
const { listen } = require('../support/connection');
const { routes } = require('../routes/support/routes');
const { describeEach, oxws, ws } = require('../support/implementations');
const { turns } = require('../support/waiting');

/** Those that the tools leave out, Jest's --detectOpenHandles for one. */
const LEFT_OUT = [
  'DNSCHANNEL',
  'Immediate',
  // The standard streams of a child.
  'PIPEWRAP',
  'PROMISE',
  'RANDOMBYTESREQUEST',
  'TickObject'
];

/**
 * Prints what such tools take for an open handle: each resource of async_hooks
 * that says so with `hasRef()`, or has none.
 */
async function report(path, url, leftOut) {
  const { createHook } = require('async_hooks');
  const { once } = require('events');
  const { writeSync } = require('fs');
  const open = new Map();

  createHook({
    init(id, type, trigger, resource) {
      if (leftOut.includes(type)) return;

      const reference = new WeakRef(resource);
      const isSilent = !('hasRef' in resource);

      open.set(id, () =>
        isSilent || (reference.deref()?.hasRef() ?? false) ? [type] : []
      );
    },
    destroy: (id) => open.delete(id)
  }).enable();

  const list = () => [...open.values()].flatMap((types) => types());
  // A standard stream is a resource, too.
  const print = (...words) => writeSync(1, `${words.join(' ')}\n`);
  const WebSocket = require(path);

  print('loaded', ...list());

  const client = new WebSocket(url);

  await once(client, 'open');
  print('open', list().includes('TCPWRAP'));
  client.close();
  await once(client, 'close');

  for (let turn = 0; turn < 100 && list().length > 0; turn++) {
    await new Promise(setImmediate);
    global.gc();
  }
  print('closed', ...list());
}

describeEach(
  [
    { name: 'ws', path: paths.ws },
    { name: 'oxws', path: paths.oxws },
    { name: 'oxws without libuv', path: paths.oxws, env: { OXWS_UV: '0' } }
  ],
  'who looks for open handles',
  ({ path, env }) => {
    test('finds a client as long as it is open, and nothing else', async () => {
      const { url } = await listen(ws);
      const values = JSON.stringify([path, url, LEFT_OUT]);
      const { stdout, stderr } = await runNode(
        ['--expose-gc', '-e', `(${report})(...${values})`],
        env
      );

      expect(stderr).toBe('');
      expect(stdout).toBe('loaded\nopen true\nclosed\n');
    });
  }
);

test('a stream that answers inside of close() leaves no timer', async () => {
  const { server, client } = await routes
    .find(({ name }) => name === 'Duplex')
    .open({ serverLib: oxws, clientLib: oxws });
  const timers = () =>
    process.getActiveResourcesInfo().filter((type) => type === 'Timeout');
  const closed = [server, client].map((end) => once(end, 'close'));

  // Both read from here on.
  await turns(5);

  const before = timers();

  client.close();
  await Promise.all(closed);
  expect(timers().length).toBeLessThanOrEqual(before.length);
});
