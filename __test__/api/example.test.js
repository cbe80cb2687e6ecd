'use strict';

const net = require('net');
const path = require('path');

const { root, runNode } = require('../support/child');
const { trackServer } = require('../support/resources');

const script = path.join(root, 'examples', 'lifecycle.js');

/** The cells of the table that the example prints. */
async function table() {
  const { code, signal, stdout, stderr } = await runNode([script]);

  expect({ code, signal, stderr }).toEqual({
    code: 0,
    signal: null,
    stderr: ''
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
}

const GET = 'GET / HTTP/1.1';
const SWITCH = 'HTTP/1.1 101 Switching Protocols';
const BYE = 'close 1000 Bye';

const connecting = 'client CONNECTING, server -';
const half = 'client CONNECTING, server OPEN';
const open = 'client OPEN, server OPEN';
const closing = 'client CLOSING, server CLOSING';

const header = [
  'action',
  'message sent',
  'message received',
  'connection state'
];
const steps = [
  ['client sends the request', GET, '', connecting],
  ['server receives the request', '', GET, connecting],
  ['server accepts', SWITCH, '', connecting],
  ['server is open', '', '', half],
  ['client is accepted', '', SWITCH, half],
  ['client is open', '', '', open],
  ['client sends a message', 'Hello', '', open],
  ['server receives a message', '', 'Hello', open],
  ['server sends a message', 'Welcome', '', open],
  ['client receives a message', '', 'Welcome', open],
  ['client sends a message', 'How are you?', '', open],
  ['server receives a message', '', 'How are you?', open],
  ['server sends a message', 'Good, thanks!', '', open],
  ['client receives a message', '', 'Good, thanks!', open],
  ['client sends a close frame', BYE, '', 'client CLOSING, server OPEN'],
  ['server receives a close frame', '', BYE, 'client CLOSING, server OPEN'],
  ['server sends a close frame', BYE, '', closing],
  ['client receives a close frame', '', BYE, closing]
];

/** The two last events have no order between them: two sockets end. */
function expectLifecycle([columns, , ...rows]) {
  expect(columns.slice(1)).toEqual(header);
  expect(rows.map(([step]) => Number(step))).toEqual(
    rows.map((_, index) => index + 1)
  );
  expect(rows.slice(0, steps.length).map((row) => row.slice(1))).toEqual(steps);

  const ends = rows.slice(steps.length).map((row) => row.slice(1));

  expect(ends.map(([action]) => action).sort()).toEqual([
    'client is closed',
    'server is closed'
  ]);
  expect(ends[1][3]).toBe('client CLOSED, server CLOSED');
}

describe('examples/lifecycle.js', () => {
  test('shows a connection from its request to its end', async () => {
    expectLifecycle(await table());
  });

  test('finds another port when 8080 is taken', async () => {
    const server = trackServer(net.createServer());

    await new Promise((resolve) => {
      server.on('error', () => server.listen(0));
      server.on('listening', resolve);
      server.listen(8080);
    });
    expectLifecycle(await table());
  });
});
