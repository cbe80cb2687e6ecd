'use strict';

const { once } = require('events');

const { trackServer, trackSocket } = require('./resources');
const { routes } = require('./routes');
const {
  SAMPLE_KEY,
  headerOf,
  parseFrame,
  parseHead,
  switchingProtocols,
  upgradeRequest
} = require('./wire');

/** One end of a socket whose bytes the test reads and writes itself. */
class RawPeer {
  #buffered = Buffer.alloc(0);
  #readers = [];
  #ended = false;

  /** Whether the socket stays open when the other side has sent FIN. */
  staysOpen = false;

  constructor(socket) {
    this.socket = trackSocket(socket);
    /** Settles when the other side has sent FIN, or the socket is gone. */
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.#ended = true;
        this.#serve();
        resolve();
      };
      socket.on('end', () => {
        end();
        if (!this.staysOpen) socket.end();
      });
      socket.on('close', end);
    });
    this.closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#buffered = Buffer.concat([this.#buffered, chunk]);
      this.#serve();
    });
  }

  write(...chunks) {
    this.socket.write(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))));
  }

  /** Writes each byte as a segment of its own. */
  async writeByteByByte(bytes) {
    this.socket.setNoDelay(true);
    for (const byte of bytes) {
      if (this.socket.destroyed) return;
      await new Promise((resolve) => {
        this.socket.write(Buffer.from([byte]), resolve);
      });
    }
  }

  /** The head of an HTTP message, or null when the peer ended before it. */
  head() {
    return this.#read(parseHead);
  }

  /** The next frame, or null when the peer ended before it. */
  frame() {
    return this.#read(parseFrame);
  }

  /** `size` bytes, or null when the peer ended before them. */
  bytes(size) {
    return this.#read((bytes) =>
      bytes.length < size ? null : { value: bytes.subarray(0, size), size }
    );
  }

  /** Everything that is still to come, once the peer has ended. */
  async rest() {
    await this.ended;
    return this.#buffered;
  }

  #read(parse) {
    return new Promise((resolve) => {
      this.#readers.push({ parse, resolve });
      this.#serve();
    });
  }

  #serve() {
    while (this.#readers.length > 0) {
      const { parse, resolve } = this.#readers[0];
      const parsed = parse(this.#buffered);

      if (parsed === null && !this.#ended) return;
      this.#readers.shift();
      if (parsed === null) {
        resolve(null);
      } else {
        this.#buffered = this.#buffered.subarray(parsed.size);
        resolve(parsed.value);
      }
    }
  }
}

/** A raw socket to a port of this machine, connected. */
async function rawSocket(port, route = 'native') {
  const socket = routes[route].connect(port);

  await once(socket, route === 'TLS' ? 'secureConnect' : 'connect');
  return new RawPeer(socket);
}

/**
 * A raw client past the handshake; its `response` is the head of the 101.
 * `after` are bytes sent together with the request.
 */
async function rawClient(port, { route, after = '', ...request } = {}) {
  const peer = await rawSocket(port, route);

  peer.write(upgradeRequest(request), after);
  peer.response = await peer.head();
  return peer;
}

/**
 * A server that leaves the bytes to the test: `onRequest(peer, head)` runs for
 * each request head. Resolves `{ port, url }`.
 */
async function rawServer(onRequest, route = 'native') {
  const { listen, scheme } = routes[route];
  const server = trackServer(
    listen(async (socket) => {
      const peer = new RawPeer(socket);
      const head = await peer.head();

      if (head !== null) onRequest(peer, head);
    })
  );

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const { port } = server.address();
  return { port, url: `${scheme}://127.0.0.1:${port}/` };
}

module.exports = {
  RawPeer,
  SAMPLE_KEY,
  headerOf,
  rawClient,
  rawServer,
  rawSocket,
  switchingProtocols,
  upgradeRequest
};
