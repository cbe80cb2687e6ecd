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

const [header, ...steps] = [
  ['action', 'message sent', 'message received', 'connection state'],
  ['client connects', GET, '', 'client CONNECTING, server -'],
  ['server accepts the upgrade', SWITCH, '', 'client CONNECTING, server -'],
  ['server is open', '', GET, 'client CONNECTING, server OPEN'],
  ['client is upgraded', '', SWITCH, 'client CONNECTING, server OPEN'],
  ['client is open', '', '', 'client OPEN, server OPEN'],
  ['client greets', 'Hello', '', 'client OPEN, server OPEN'],
  ['server receives', '', 'Hello', 'client OPEN, server OPEN'],
  ['server answers', 'Welcome', '', 'client OPEN, server OPEN'],
  ['client receives', '', 'Welcome', 'client OPEN, server OPEN'],
  ['client answers', 'How are you?', '', 'client OPEN, server OPEN'],
  ['server receives', '', 'How are you?', 'client OPEN, server OPEN'],
  ['server answers', 'Good, thanks!', '', 'client OPEN, server OPEN'],
  ['client receives', '', 'Good, thanks!', 'client OPEN, server OPEN'],
  ['client sends its close frame', BYE, '', 'client CLOSING, server OPEN']
];

/** The two last events have no order between them: two sockets end. */
function expectLifecycle([head, , ...rows]) {
  expect(head.slice(1)).toEqual(header);
  expect(rows.map(([step]) => Number(step))).toEqual(
    rows.map((_, index) => index + 1)
  );
  expect(rows.slice(0, steps.length).map((row) => row.slice(1))).toEqual(steps);

  const ends = rows.slice(steps.length).map((row) => row.slice(1));

  expect(ends.map(([action]) => action).sort()).toEqual([
    "client has the server's close frame",
    "server has the client's close frame"
  ]);
  for (const [, sent, received] of ends) {
    expect([sent, received]).toEqual(['', BYE]);
  }
  expect(ends[1][3]).toBe('client CLOSED, server CLOSED');
}

describe('examples/lifecycle.js', () => {
  test('shows a connection from the upgrade to its end', async () => {
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
