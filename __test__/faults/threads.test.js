'use strict';

const { errno } = require('os').constants;

const { anyDriver, linesOf, ownDrivers } = require('../support/drivers');
const { failingCalls } = require('../support/failing-calls');
const { describeEach } = require('../support/implementations');

const isLinux = process.platform === 'linux';

/** Sends large messages to and fro with no more threads to be had. */
function converse(WebSocket, number) {
  const data = require('crypto').randomBytes(300000).toString('base64');
  const deflate = new WebSocket.PerMessageDeflate();
  const wss = new WebSocket.Server(
    { port: 0, host: '127.0.0.1', perMessageDeflate: true },
    () => {
      process.env.FAILING_CALL = `pthread_create ${number}`;

      const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);
      let received = 0;

      client.on('open', () => client.send(data));
      client.on('message', (message) => {
        console.log(String(message) === data);
        if (++received < 3) client.send(data);
        else client.close(1000);
      });
      client.on('close', (code) => {
        console.log(code);
        deflate.accept([{}]);
        deflate.compress(Buffer.from(data), true, (err) => {
          console.log(err);
          wss.close();
        });
      });
    }
  );

  wss.on('connection', (server) => {
    server.on('message', (message) => server.send(String(message)));
  });
}

describeEach(
  isLinux ? [...ownDrivers, anyDriver] : [],
  'large messages',
  (driver) => {
    const preloaded = failingCalls();

    test('are compressed and inflated without threads for it', async () => {
      const env = { ...driver.env, ...preloaded };

      expect(
        await linesOf({ library: 'oxws', env }, converse, {
          args: [errno.EAGAIN]
        })
      ).toEqual(['true', 'true', 'true', '1000', 'null']);
    });
  }
);
