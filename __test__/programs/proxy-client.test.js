'use strict';

const { connectProxy } = require('../routes/support/connect-proxy');
const { listen } = require('../support/connection');
const { wsAndDrivers } = require('../support/drivers');
const { describeEach, ws } = require('../support/implementations');
const { run } = require('./support/run');

describeEach(wsAndDrivers, 'a client behind a proxy', (driver) => {
  test.each(['native', 'TLS'])('talks to a server: %s', async (route) => {
    const { wss, port, url } = await listen({ ...ws, route });
    const proxy = await connectProxy();
    const agents = [];

    wss.on('connection', (server, request) => {
      agents.push(request.headers['user-agent']);
      server.on('message', (data) => server.send(`${data}?`));
    });
    expect(
      await run(driver, 'proxy-client.js', [
        `http://127.0.0.1:${proxy.port}`,
        url,
        'hello',
        'and bye'
      ])
    ).toEqual([
      'connected, chat',
      '< hello?',
      '< and bye?',
      'disconnected, 1000'
    ]);
    expect(proxy.targets).toEqual([`127.0.0.1:${port}`]);
    expect(agents).toEqual(['proxy-client']);
  });

  test('tells that the proxy is not there', async () => {
    expect(
      await run(driver, 'proxy-client.js', [
        'http://127.0.0.1:1',
        'ws://127.0.0.1:2'
      ])
    ).toEqual([
      'error, connect ECONNREFUSED 127.0.0.1:1',
      'disconnected, 1006'
    ]);
  });
});
