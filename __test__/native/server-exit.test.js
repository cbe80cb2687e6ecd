'use strict';

const { once } = require('events');

const { linesOf, wsAndDrivers } = require('../support/drivers');
const { describeEach, ws } = require('../support/implementations');
const { serverOf } = require('../support/mailbox');
const { trackWebSocket } = require('../support/resources');
const { routes } = require('../support/routes');

const ways = [
  { name: 'its own port', route: 'native', options: {} },
  { name: 'http.Server', route: 'adopted', options: {} },
  ...['TLSv1.2', 'TLSv1.3'].map((maxVersion) => ({
    name: `https.Server, ${maxVersion}`,
    route: 'TLS',
    options: { maxVersion }
  }))
];

const moments = ['connection', 'message', 'immediate', 'error'];

/** A server that sends twice and ends its process; it says its port to `mailbox`. */
function serve(WebSocket, mailbox, route, moment) {
  const net = require('net');

  globalThis.afterEach = () => {};

  const { routes } = require('./__test__/support/routes');
  const server = routes[route].createServer();
  const wss = new WebSocket.Server(
    server === null ? { port: 0, host: '127.0.0.1' } : { server }
  );

  wss.on('listening', () => {
    net.connect(mailbox, '127.0.0.1').end(String(wss.address().port));
  });
  if (server !== null) server.listen(0, '127.0.0.1');

  wss.on('connection', (websocket) => {
    const end = () => {
      websocket.send('first');
      websocket.send('second');
      if (moment === 'error') throw new Error('as planned');
      process.exit();
    };

    process.on('uncaughtException', () => process.exit());
    if (moment === 'message') websocket.on('message', end);
    else if (moment === 'immediate') setImmediate(end);
    else end();
  });
}

describeEach(wsAndDrivers, 'a process that serves', (driver) => {
  describe.each(ways)('on $name', ({ route, options }) => {
    test.each(moments)('has answered when it exits: %s', async (moment) => {
      const { lines: program, port } = await serverOf((mailbox) =>
        linesOf(driver, serve, { args: [mailbox, route, moment] })
      );
      const client = trackWebSocket(
        new ws.WebSocket(`${routes[route].scheme}://127.0.0.1:${port}`, {
          ...routes[route].clientOptions(),
          ...options
        })
      );
      const trace = [];

      client.on('error', (err) => trace.push(err.message));
      client.on('open', () => {
        trace.push('open');
        if (moment === 'message') client.send('go');
      });
      client.on('message', (data) => trace.push(String(data)));

      const [code] = await once(client, 'close');

      expect(await program).toEqual([]);
      expect(code).toBe(1006);
      // What waits for a write of Node's own TLS is lost with ws.
      expect(trace).toEqual(
        driver.name === 'ws' && route === 'TLS'
          ? expect.arrayContaining(['open'])
          : ['open', 'first', 'second']
      );
    });
  });
});
