'use strict';

const { anyDriver, wsAndDrivers } = require('../support/drivers');
const { run } = require('./support/run');

/** Left to itself, oxws begins inline. */
const rows = [...wsAndDrivers, anyDriver].filter(
  ({ name }) => name !== 'oxws, inline'
);

/** Declares a test a library and driver: the program prints these lines. */
function testProgram(file, title, lines, args) {
  test.each(rows)(`${title} ($name)`, async (driver) => {
    expect(await run(driver, file, args)).toEqual(lines);
  });
}

for (const transport of ['websocket', 'polling']) {
  testProgram(
    'socket-io.js',
    `Socket.IO, which begins with ${transport}`,
    [
      'lounge websocket 127.0.0.1 127.0.0.1',
      'lounge websocket 127.0.0.1 127.0.0.1',
      'attic websocket 127.0.0.1 127.0.0.1',
      'text 1 { deep: [ true, null ] }',
      'bytes 300000',
      'hello there',
      'hello there',
      'io server disconnect',
      'transport close'
    ],
    [transport]
  );
}

testProgram('engine-io.js', 'Engine.IO', [
  'websocket 127.0.0.1',
  'string true',
  'string true',
  'object true',
  'object true',
  'three pings',
  'server: forced close, client: transport close',
  'websocket 127.0.0.1',
  'server: transport error, client: transport close'
]);

testProgram('express-ws.js', 'express-ws', [
  '200 a page',
  'her me: one',
  'her me: two',
  'to all true',
  'to all true',
  'to all true',
  '3',
  'open',
  'nowhere 1005',
  'close 1000'
]);

testProgram('fastify-websocket.js', '@fastify/websocket', [
  'injected',
  'injected one',
  'pong two',
  '509',
  '1006,1006',
  'injected, in onInit and onOpen',
  'open 1 welcome',
  'Unexpected server response: 401',
  'over a port',
  '200 a page',
  'permessage-deflate',
  'real hello',
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  '1006,1009',
  'Unexpected server response: 401',
  'closed with the app: 1005,1005'
]);

testProgram('graphql-ws.mjs', 'graphql-ws', [
  'graphql-transport-ws',
  'hello you',
  '100 100',
  'Cannot query field "nothing" on type "Query".',
  'refused: 4403 Forbidden',
  'Server sent no subprotocol',
  '1000',
  '1000 Normal Closure'
]);

for (const [kind, title] of [
  ['own', 'of its own'],
  ['shared', 'of an http server']
]) {
  testProgram(
    'mqtt.js',
    `MQTT.js and Aedes, on a port ${title}`,
    [
      'true true',
      'texts/short none',
      'texts/short once',
      'texts/short exactly',
      'texts/long 300000',
      'texts/empty ',
      'true',
      'wills: I am gone'
    ],
    [kind]
  );
}

testProgram('y-websocket.mjs', 'y-websocket', [
  '/room',
  '/room',
  'written before ',
  'written before and after',
  'true',
  '500'
]);
