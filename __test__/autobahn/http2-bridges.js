'use strict';

// Between HTTP/2 on our side and HTTP/1.1, which is all that the cases know.

const crypto = require('crypto');
const http = require('http');
const http2 = require('http2');

const HOST = '127.0.0.1';

/** In MiB: Node.js refuses streams of a session that holds more, and several messages of 16 are on their way. */
const maxSessionMemory = 1024;

/** A server of HTTP/1.1 in front of one of HTTP/2. */
function bridgeToServer(server) {
  const bridge = http.createServer();
  let session;

  server.on('listening', () => {
    session = http2.connect(`http://${HOST}:${server.address().port}`, {
      maxSessionMemory
    });
    session.once('remoteSettings', () => bridge.listen(0, HOST));
  });

  bridge.on('upgrade', ({ url, headers }, socket, head) => {
    const { upgrade, connection, host, ...fields } = headers;
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': upgrade,
      ':authority': host,
      ':path': url,
      ...fields
    });

    stream.on('response', (response) => {
      const lines = Object.entries(fieldsOf(response)).map(
        ([name, value]) => `${name}: ${value}\r\n`
      );

      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\n' +
          `Upgrade: ${upgrade}\r\nConnection: ${connection}\r\n` +
          `${lines.join('')}\r\n`
      );
      join(stream, socket, head);
    });
    failTogether(stream, socket);
  });
  return bridge;
}

/** A server of HTTP/2 in front of one of HTTP/1.1, whose URL is `url`. */
function bridgeToClient(url) {
  const { hostname, port } = new URL(url);
  const bridge = http2.createServer({
    maxSessionMemory,
    settings: { enableConnectProtocol: true }
  });

  bridge.on('stream', (stream, headers) => {
    const request = http.request({
      hostname,
      port,
      path: headers[':path'],
      headers: {
        Connection: 'Upgrade',
        Upgrade: headers[':protocol'],
        'Sec-WebSocket-Key': crypto.randomBytes(16).toString('base64'),
        ...fieldsOf(headers)
      }
    });

    request.on('upgrade', (response, socket, head) => {
      const fields = fieldsOf(response.headers);

      // It answers the key, which HTTP/2 does not have.
      delete fields['sec-websocket-accept'];
      stream.respond({ ':status': 200, ...fields });
      join(stream, socket, head);
      failTogether(stream, socket);
    });
    request.on('error', () => stream.destroy());
    request.end();
  });
  return bridge;
}

/** What a handshake has negotiated. */
function fieldsOf(headers) {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith('sec-'))
  );
}

/** `head` are the first bytes of the socket. */
function join(stream, socket, head) {
  stream.write(head);
  stream.pipe(socket).pipe(stream);
}

function failTogether(stream, socket) {
  stream.on('error', () => socket.destroy());
  stream.on('close', () => stream.rstCode && socket.destroy());
  socket.on('error', () => stream.destroy());
  // What nobody takes any more must not keep the stream from its end.
  socket.on('close', () => stream.resume());
}

module.exports = { bridgeToClient, bridgeToServer, maxSessionMemory };
