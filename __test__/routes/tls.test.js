'use strict';

const { once } = require('events');
const fs = require('fs');
const https = require('https');
const path = require('path');
const tls = require('tls');

const { describeEach } = require('../support/implementations');
const {
  trackServer,
  trackSocket,
  trackWebSocket,
  trackWebSocketServer
} = require('../support/resources');
const { describeError } = require('../support/trace');
const { messages, pairs } = require('./support/matrix');
const { fromStream } = require('./support/routes');

const ca = read('authority.crt');
const one = identity('one');
const two = identity('two');
const somebody = identity('client');

function identity(name) {
  return { key: read(`${name}.key`), cert: read(`${name}.crt`) };
}

function read(name) {
  return fs.readFileSync(path.join(__dirname, 'tls', name));
}

/** Leads every name to this machine. */
function lookup(hostname, options, callback) {
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
}

describeEach(pairs, 'wss:', (pair) => {
  /** A WebSocketServer behind an https server with these TLS options. */
  async function serve(options, wssOptions) {
    const server = trackServer(https.createServer({ ...one, ...options }));
    const wss = trackWebSocketServer(
      new pair.WebSocketServer({ server, ...wssOptions })
    );

    // A handshake that fails belongs to the client's test.
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    return { wss, port: server.address().port };
  }

  function dial(port, options, host = '127.0.0.1') {
    return trackWebSocket(
      new pair.WebSocket(`wss://${host}:${port}/`, {
        ca,
        lookup,
        perMessageDeflate: false,
        ...options
      })
    );
  }

  /** Connects, exchanges a message, and resolves both sides. */
  async function talk({ wss, port }, options, host) {
    const connected = once(wss, 'connection');
    const client = dial(port, options, host);
    const [[server, request]] = await Promise.all([
      connected,
      once(client, 'open')
    ]);
    const arrival = messages(client, 1);

    server.on('message', (data) => server.send(data));
    client.send('secret');
    expect(String((await arrival)[0][0])).toBe('secret');
    return { client, server, request };
  }

  async function failureOf(client) {
    const closed = new Promise((resolve) => client.on('close', resolve));
    const err = await new Promise((resolve) => client.on('error', resolve));

    expect(await closed).toBe(1006);
    return describeError(err);
  }

  test('trusts an authority that it is given', async () => {
    const { client, server, request } = await talk(await serve());

    expect(client._socket).toBeInstanceOf(tls.TLSSocket);
    expect(client._socket.authorized).toBe(true);
    expect(client._socket.getPeerCertificate().subject.CN).toBe('one.example');
    expect(request.socket).toBe(server._socket);
    expect(request.socket.encrypted).toBe(true);
    expect(request.socket.authorized).toBe(false);
    expect(request.socket.getCipher().version).toBe('TLSv1.3');
  });

  test('trusts nobody else', async () => {
    const { port } = await serve();

    expect(await failureOf(dial(port, { ca: undefined }))).toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
    });
  });

  test('trusts everybody without rejectUnauthorized', async () => {
    const { client } = await talk(await serve(), {
      ca: undefined,
      rejectUnauthorized: false
    });

    expect(client._socket.authorized).toBe(false);
    expect(client._socket.authorizationError).toBe(
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
    );
  });

  test('checks the name', async () => {
    const { port } = await serve();

    expect(await failureOf(dial(port, {}, 'two.example'))).toEqual({
      class: 'Error',
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      message:
        "Hostname/IP does not match certificate's altnames: " +
        "Host: two.example. is not in the cert's altnames: " +
        'DNS:one.example, IP Address:127.0.0.1'
    });
  });

  test('checks the name with checkServerIdentity', async () => {
    const served = await serve();
    const seen = [];
    const checkServerIdentity = (host, certificate) => {
      seen.push([host, certificate.subject.CN]);
      return served.err;
    };

    await talk(served, { checkServerIdentity }, 'two.example');
    expect(seen).toEqual([['two.example', 'one.example']]);

    served.err = new Error('not that one');

    const client = dial(served.port, { checkServerIdentity });
    const err = await new Promise((resolve) => client.on('error', resolve));

    expect(err).toBe(served.err);
  });

  test('shows a certificate of its own', async () => {
    const seen = [];
    const served = await serve(
      { ca, requestCert: true, rejectUnauthorized: true },
      {
        verifyClient: ({ secure, req }) => {
          seen.push([
            secure,
            req.socket.authorized,
            req.socket.getPeerCertificate().subject.CN
          ]);
          return true;
        }
      }
    );
    const { request } = await talk(served, somebody);

    expect(seen).toEqual([[true, true, 'somebody']]);
    expect(request.socket.authorized).toBe(true);

    const { code } = await failureOf(
      dial(served.port, { maxVersion: 'TLSv1.2' })
    );

    expect(code).toMatch(/^(EPROTO|ECONNRESET|ERR_SSL_.*)$/);
    expect(seen).toHaveLength(1);
  });

  test('names the server that it wants (SNI)', async () => {
    const names = [];
    const served = await serve({
      SNICallback(name, callback) {
        names.push(name);
        callback(
          null,
          tls.createSecureContext(name === 'two.example' ? two : one)
        );
      }
    });

    for (const [options, host, name] of [
      [{}, 'one.example', 'one.example'],
      [{}, 'two.example', 'two.example'],
      [{ servername: 'two.example' }, '127.0.0.1', 'two.example']
    ]) {
      const { client, request } = await talk(served, options, host);

      expect(client._socket.getPeerCertificate().subject.CN).toBe(name);
      expect(request.socket.servername).toBe(name);
    }

    // An IP address is no name.
    const { request } = await talk(served);

    expect(request.socket.servername).toBe(false);
    expect(names).toEqual(['one.example', 'two.example', 'two.example']);
  });

  test('agrees on versions and protocols', async () => {
    const served = await serve({ ALPNProtocols: ['http/1.1', 'other'] });
    const { client } = await talk(served, {
      maxVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1']
    });

    expect(client._socket.getProtocol()).toBe('TLSv1.2');
    expect(client._socket.alpnProtocol).toBe('http/1.1');
  });

  test('resumes a session', async () => {
    const served = await serve();
    const options = { maxVersion: 'TLSv1.2' };
    const first = await talk(served, options);
    const session = first.client._socket.getSession();
    const second = await talk(served, { ...options, session });

    expect(first.client._socket.isSessionReused()).toBe(false);
    expect(second.client._socket.isSessionReused()).toBe(true);
  });

  test('takes an agent with its own options', async () => {
    const { client } = await talk(await serve(), {
      ca: undefined,
      agent: new https.Agent({ ca, servername: 'one.example' })
    });

    expect(client._socket.authorized).toBe(true);
    expect(client._socket.servername).toBe('one.example');
  });

  test('goes over tls sockets that never carried HTTP', async () => {
    const server = trackServer(tls.createServer(one));

    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    const accepted = once(server, 'secureConnection');
    const far = trackSocket(
      tls.connect({ port: server.address().port, host: '127.0.0.1', ca })
    );
    const [near] = await accepted;
    const websocket = fromStream(pair.serverLib, near, true);
    const client = fromStream(pair.clientLib, far, false);
    const arrival = messages(websocket, 1);

    client.send(Buffer.alloc(1 << 20));
    expect((await arrival)[0][0]).toHaveLength(1 << 20);
  });
});
