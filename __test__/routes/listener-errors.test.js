'use strict';

const { runInChild } = require('../support/child');
const { describeEach, implementations } = require('../support/implementations');
const { routes } = require('./support/routes');

/**
 * A listener of the server or the client throws at the first of three
 * messages. Prints a line an event and ends with the connection, or, with ws,
 * where the connection is lost then, at the exception.
 */
async function program(WebSocket, isLost, routeName, thrower) {
  const { openRoute } = require('./__test__/routes/support/in-process');
  const connection = await openRoute(WebSocket, routeName);
  const from = connection[thrower === 'server' ? 'client' : 'server'];
  const to = connection[thrower];

  process.on('uncaughtException', (err, origin) => {
    console.log(`${origin}: ${err.message}`);
    if (isLost) process.exit();
  });
  to.on('error', (err) => console.log(`error: ${err.message}`));
  to.on('message', (data) => {
    console.log(`message: ${data}`);
    if (String(data) === '1') throw new Error('of the listener');
  });
  to.on('close', (code) => {
    console.log(`close: ${code}`);
    process.exit();
  });
  for (const data of ['1', '2', '3']) from.send(data);
  from.close(1000);
}

/**
 * The callback of a message throws that its socket was still writing when the
 * peer ended. Prints the exception and the close.
 */
async function sendingProgram(WebSocket, isLost, routeName, thrower) {
  const { openRoute } = require('./__test__/routes/support/in-process');
  const connection = await openRoute(WebSocket, routeName);
  const from = connection[thrower === 'server' ? 'client' : 'server'];
  const to = connection[thrower];

  process.on('uncaughtException', (err, origin) => {
    console.log(`${origin}: ${err.message}`);
    if (isLost) process.exit();
  });
  from.on('error', () => {});
  to.on('close', () => {
    console.log('closed');
    process.exit();
  });
  from.pause();
  to.send(Buffer.alloc(1 << 24), () => {
    throw new Error('of the callback');
  });
  to._socket.once('end', () => from.resume());
  from._socket.end();
}

/**
 * The callbacks of messages throw that were not compressed when the socket was
 * destroyed. Prints the exceptions and the close, and ends with the last of
 * these four.
 */
async function compressingProgram(WebSocket, routeName, thrower) {
  const { openRoute } = require('./__test__/routes/support/in-process');
  const deflate = { threshold: 0 };
  const connection = await openRoute(WebSocket, routeName, deflate);
  const { [thrower]: websocket } = connection;
  let left = 4;
  const tell = (line) => {
    console.log(line);
    if (--left === 0) process.exit();
  };

  process.on('uncaughtException', (err, origin) =>
    tell(`${origin}: ${err.message}`)
  );
  websocket.on('error', () => {});
  websocket.on('close', (code) => tell(`closed ${code}`));
  // The messages are compressed in JavaScript's sight from here on.
  websocket._socket.on('data', () => {});
  for (const name of ['first', 'second', 'third']) {
    websocket.send(Buffer.alloc(1 << 20), () => {
      throw new Error(`of the ${name} callback`);
    });
  }
  websocket._socket.destroy();
}

const rows = implementations.flatMap(({ name: library, driverless }) =>
  routes.map(({ name: route }) => ({
    name: `${library}, ${route}`,
    library,
    driverless,
    route
  }))
);

describeEach(rows, 'a listener that throws', ({ library, route }) => {
  const isLost = library === 'ws';

  test.each(['server', 'client'])('of the %s', async (side) => {
    const { code, stdout, stderr } = await runInChild(library, program, {
      args: [isLost, route, side]
    });

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

    const lines = stdout.trim().split('\n');
    const exception = 'uncaughtException: of the listener';

    expect(lines.filter((line) => line === exception)).toHaveLength(1);
    expect(lines.filter((line) => line !== exception)).toEqual(
      isLost
        ? ['message: 1']
        : ['message: 1', 'message: 2', 'message: 3', 'close: 1000']
    );
  });

  test.each(['server', 'client'])('for what the %s sent', async (side) => {
    const { code, stdout, stderr } = await runInChild(library, sendingProgram, {
      args: [isLost, route, side]
    });

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toEqual([
      'uncaughtException: of the callback',
      ...(isLost ? [] : ['closed'])
    ]);
  });
});

// With ws the connection is lost, at whatever comes first.
describeEach(
  rows.filter(({ library }) => library !== 'ws'),
  'callbacks that throw, of what was not compressed',
  ({ library, route }) => {
    test.each(['server', 'client'])('by the %s', async (side) => {
      const { code, stdout, stderr } = await runInChild(
        library,
        compressingProgram,
        { args: [route, side] }
      );

      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.trim().split('\n').sort()).toEqual([
        'closed 1006',
        'uncaughtException: of the first callback',
        'uncaughtException: of the second callback',
        'uncaughtException: of the third callback'
      ]);
    });
  }
);
