'use strict';

const { once } = require('events');
const tls = require('tls');

const { dial, listen } = require('../support/connection');
const {
  describeEach,
  implementations,
  pairs
} = require('../support/implementations');
const { certificate } = require('../support/routes');

describeEach(pairs, 'wss:', (pair) => {
  const secure = { ...pair, route: 'TLS' };

  async function failure(client) {
    const [err] = await new Promise((resolve) => {
      client.on('error', (...args) => resolve(args));
    });

    return err;
  }

  test('accepts a certificate that it is told to trust', async () => {
    const { wss, url } = await listen(secure);
    const client = dial(pair, url.replace('127.0.0.1', 'localhost'), [], {
      ca: certificate
    });
    const [[server, request]] = await Promise.all([
      once(wss, 'connection'),
      once(client, 'open')
    ]);

    expect(client._socket).toBeInstanceOf(tls.TLSSocket);
    expect(client._socket.authorized).toBe(true);
    expect(client._socket.getPeerCertificate().subject.CN).toBe('localhost');
    expect(server._socket).toBe(request.socket);
    expect(request.socket.encrypted).toBe(true);
    expect(request.socket.servername).toBe('localhost');
  });

  test('refuses a certificate nobody vouches for', async () => {
    const { url } = await listen(secure);
    const client = dial(pair, url);

    expect([
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN'
    ]).toContain((await failure(client)).code);
    expect(client.readyState).toBe(3);
  });

  test('refuses a certificate of another name', async () => {
    const { url } = await listen(secure);
    const client = dial(pair, url, [], {
      ca: certificate,
      servername: 'example.com'
    });

    expect((await failure(client)).code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('fails on a server that does not speak TLS', async () => {
    const { url } = await listen(pair);
    const client = dial(pair, url.replace('ws:', 'wss:'));

    expect((await failure(client)).code).toMatch(
      /^(EPROTO|ERR_SSL_|ECONNRESET)/
    );
  });
});

describeEach(implementations, 'ws: to a server with TLS', ({ lib }) => {
  test('is a hang up', async () => {
    const { url } = await listen({ ...lib, route: 'TLS' });
    const client = dial({ WebSocket: lib }, url.replace('wss:', 'ws:'));
    const [err] = await new Promise((resolve) => {
      client.on('error', (...args) => resolve(args));
    });

    expect(err.code).toMatch(/^(ECONNRESET|HPE_)/);
  });
});
