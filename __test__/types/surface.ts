// The typed surface in use. Compiled as CommonJS and as an ES module.

import * as http from 'http';
import * as https from 'https';
import type { Duplex } from 'stream';

import WebSocket, {
  createWebSocketStream,
  extension,
  PerMessageDeflate,
  Receiver,
  Sender,
  subprotocol,
  WebSocketServer
} from 'oxws';

function expectType<T>(_value: T): void {}

function constructors(): void {
  new WebSocket(null);
  new WebSocket('ws://localhost', 'chat');
  new WebSocket(new URL('ws://localhost'), ['chat', 'superchat'], {
    agent: new http.Agent(),
    autoPong: false,
    closeTimeout: 1000,
    followRedirects: true,
    generateMask: (mask) => mask.fill(1),
    headers: { cookie: 'a=b' },
    maxPendingAutoPongs: 10,
    perMessageDeflate: { zlibDeflateOptions: { level: 1 } }
  });
  new WebSocket('wss://localhost', {
    ca: 'PEM',
    checkServerIdentity: (name, certificate) =>
      name === '' ? new Error(String(certificate)) : undefined,
    finishRequest(request, websocket) {
      expectType<WebSocket>(websocket);
      request.end();
    },
    maxFragments: 1,
    maxBufferedChunks: 1,
    protocols: ['chat'],
    servername: 'localhost'
  });
  new WebSocket('ws://localhost', { timeout: 1000, auth: 'user:password' });

  // @ts-expect-error: an address is needed.
  new WebSocket();
  // @ts-expect-error: not an option.
  new WebSocket('ws://localhost', { maxPayloads: 1 });
}

function attributes(websocket: WebSocket): void {
  websocket.binaryType = 'arraybuffer';
  websocket.binaryType = 'blob';
  websocket.binaryType = 'fragments';
  expectType<number>(websocket.bufferedAmount);
  expectType<string>(websocket.extensions + websocket.protocol + websocket.url);
  expectType<boolean>(websocket.isPaused);
  expectType<1>(websocket.OPEN);
  expectType<3>(WebSocket.CLOSED);

  // @ts-expect-error: not a type of binary data.
  websocket.binaryType = 'text';
  // @ts-expect-error: read-only.
  websocket.protocol = 'chat';

  switch (websocket.readyState) {
    case websocket.CONNECTING:
    case WebSocket.OPEN:
    case 2:
    case 3:
      break;
    default:
      expectType<never>(websocket.readyState);
  }
}

function methods(websocket: WebSocket, failed: (err: Error) => void): void {
  for (const data of ['text', 1, Buffer.alloc(1), new Float32Array(1)]) {
    websocket.send(data);
  }
  websocket.send([1, 2, 3], (err) => expectType<Error | undefined>(err));
  websocket.send(new Blob([]), { binary: true, fin: false }, () => {});
  websocket.send(new ArrayBuffer(1), { compress: false, mask: true });
  websocket.ping();
  websocket.ping(failed);
  websocket.ping('data', (err) => expectType<Error | undefined>(err));
  websocket.ping('data', true, failed);
  websocket.pong(Buffer.alloc(1), undefined, failed);
  websocket.close();
  websocket.close(1000, 'reason');
  websocket.close(1000, new Uint8Array(1));
  websocket.pause();
  websocket.resume();
  websocket.terminate();

  // @ts-expect-error: nothing to send.
  websocket.send();
  // @ts-expect-error: a code is a number.
  websocket.close('1000');
}

function events(websocket: WebSocket): void {
  websocket
    .on('open', function () {
      expectType<WebSocket>(this);
    })
    .once('message', (data, isBinary) => {
      expectType<WebSocket.RawData>(data);
      expectType<boolean>(isBinary);
      if (Array.isArray(data)) Buffer.concat(data);
      else if (data instanceof ArrayBuffer) Buffer.from(data);
      else data.readUInt8();
    })
    .addListener('close', (code, reason) => {
      expectType<number>(code);
      expectType<Buffer>(reason);
    })
    .on('error', (error) => expectType<Error>(error))
    .on('ping', (data) => expectType<Buffer>(data))
    .on('pong', (data) => expectType<Buffer>(data))
    .on('upgrade', (response) => expectType<http.IncomingMessage>(response))
    .on('redirect', (url, request) => {
      expectType<string>(url);
      expectType<http.ClientRequest>(request);
    })
    .on('unexpected-response', (request, response) => {
      expectType<http.ClientRequest>(request);
      expectType<http.IncomingMessage>(response);
    })
    .on('message', (data: Buffer | Blob) => data)
    .on('of a subclass', (anything) => anything)
    .off('open', () => {})
    .removeListener(Symbol('any'), () => {});

  websocket.onopen = (event) => expectType<WebSocket>(event.target);
  websocket.onerror = (event) => expectType<string>(event.message);
  websocket.onclose = (event) => expectType<boolean>(event.wasClean);
  websocket.onmessage = ({ data }) => {
    expectType<WebSocket.Data>(data);
    if (data instanceof Blob) expectType<Promise<string>>(data.text());
  };
  websocket.onmessage = null;

  const listener = { handleEvent: (event: WebSocket.CloseEvent) => event.code };
  websocket.addEventListener('close', listener, { once: true });
  websocket.removeEventListener('close', listener);
  websocket.addEventListener('message', (event: WebSocket.MessageEvent) => {
    expectType<WebSocket.Data>(event.data);
  });

  // @ts-expect-error: events of the EventTarget are four.
  websocket.addEventListener('ping', () => {});
}

class Request extends http.IncomingMessage {
  user = 'nobody';
}

class Connection extends WebSocket {
  isAlive = true;

  override on(event: string, listener: (...args: any[]) => void): this {
    return super.on(event, listener);
  }
}

class Service extends WebSocketServer<typeof Connection, typeof Request> {
  override shouldHandle(request: Request): boolean {
    return request.user !== 'nobody';
  }
}

function servers(): void {
  new WebSocketServer({ server: http.createServer() });
  new WebSocketServer({ server: https.createServer(), path: '/socket' });
  new WebSocket.Server();

  const server = new WebSocketServer(
    {
      port: 0,
      host: '::1',
      backlog: 10,
      clientTracking: true,
      closeTimeout: 1000,
      handleProtocols: (protocols) => protocols.has('chat') && 'chat',
      maxPayload: 1024,
      maxPendingAutoPongs: 0,
      perMessageDeflate: { serverMaxWindowBits: 10, threshold: 0 },
      verifyClient: ({ origin, secure, req }) =>
        secure && origin === req.headers.origin
    },
    () => {
      expectType<string | null | object>(server.address());
    }
  );

  server
    .on('connection', function (websocket, request) {
      expectType<WebSocket>(websocket);
      expectType<http.IncomingMessage>(request);
      expectType<Set<WebSocket>>(this.clients);
    })
    .on('headers', (headers) => headers.push('Set-Cookie: a=b'))
    .on('wsClientError', (error, socket, request) => {
      expectType<Error>(error);
      expectType<Duplex>(socket);
      expectType<http.IncomingMessage>(request);
    })
    .once('listening', () => {})
    .off('error', (error) => expectType<Error>(error))
    .close((err) => expectType<Error | undefined>(err));

  // @ts-expect-error: not a hook.
  new WebSocketServer({ port: 0, verifyClient: 'everybody' });
}

function subclasses(): void {
  const service = new Service({
    noServer: true,
    WebSocket: Connection,
    verifyClient(info, callback) {
      callback(info.req.user === 'root', 403, 'No', { 'Retry-After': 1 });
    }
  });

  service.on('connection', (connection, request) => {
    expectType<boolean>(connection.isAlive);
    expectType<string>(request.user);
  });
  http.createServer().on('upgrade', (request, socket, head) => {
    service.handleUpgrade(request as Request, socket, head, (connection) => {
      expectType<boolean>(connection.isAlive);
      service.emit('connection', connection, request);
    });
  });
}

function streams(websocket: WebSocket): void {
  const stream = createWebSocketStream(websocket, { readableObjectMode: true });
  expectType<Duplex>(stream.pipe(stream));
  WebSocket.createWebSocketStream(websocket);
}

function codecs(socket: Duplex): void {
  const deflate = new PerMessageDeflate({ isServer: true, maxPayload: 1024 });
  const offers = extension.parse('permessage-deflate; client_max_window_bits');
  const params = deflate.accept(offers[PerMessageDeflate.extensionName] ?? []);
  extension.format({ 'permessage-deflate': [params] });
  deflate.compress('data', true, (err, result) => {
    if (!err) deflate.decompress(result, true, () => deflate.cleanup());
  });

  const extensions = { 'permessage-deflate': deflate };
  new Receiver({ extensions, isServer: true, maxPayload: 1024 })
    .on('message', (data, isBinary) => {
      expectType<WebSocket.RawData>(data);
      expectType<boolean>(isBinary);
    })
    .on('conclude', (code, reason) => {
      expectType<number>(code);
      expectType<Buffer>(reason);
    })
    .on('drain', () => {})
    .write(Buffer.alloc(2));

  const sender = new Sender(socket, extensions, (mask) => mask.fill(0));
  sender.send('data', { binary: false, compress: true, fin: true });
  sender.ping('data', false, () => {});
  sender.close(1000, 'reason', true);
  sender.sendFrame(Sender.frame('data', { fin: true, opcode: 1 }));

  expectType<Set<string>>(subprotocol.parse('chat, superchat'));
}

export { attributes, codecs, constructors, events, methods };
export { servers, streams, subclasses };
