// All that @types/ws declares, in use. The programs of this folder import 'ws':
// they are compiled with its types as they are, and with those of oxws in their
// place.

import * as http from 'http';
import * as https from 'https';
import * as net from 'net';
import type { Duplex } from 'stream';
import * as zlib from 'zlib';

import WebSocket, {
  createWebSocketStream,
  WebSocket as Named,
  WebSocketServer,
  type AddressInfo,
  type CertMeta,
  type ClientOptions,
  type CloseEvent,
  type Data,
  type ErrorEvent,
  type Event,
  type EventListenerOptions,
  type FinishRequestCallback,
  type MessageEvent,
  type PerMessageDeflateOptions,
  type RawData,
  type Server,
  type ServerOptions,
  type VerifyClientCallbackAsync,
  type VerifyClientCallbackSync,
  type WebSocketEventMap
} from 'ws';

function expectType<T>(_value: T): void {}

// Options

const deflateOptions: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 10,
  clientMaxWindowBits: 10,
  zlibDeflateOptions: {
    flush: zlib.constants.Z_SYNC_FLUSH,
    finishFlush: zlib.constants.Z_SYNC_FLUSH,
    chunkSize: 1024,
    windowBits: 15,
    level: 3,
    memLevel: 7,
    strategy: 0,
    dictionary: [Buffer.alloc(1)],
    info: false
  },
  zlibInflateOptions: { chunkSize: 10 * 1024 },
  threshold: 1024,
  concurrencyLimit: 10
};

const finishRequest: FinishRequestCallback = (request, websocket) => {
  expectType<http.ClientRequest>(request);
  expectType<WebSocket>(websocket);
  request.end();
};

const clientOptions: ClientOptions = {
  agent: new http.Agent(),
  allowSynchronousEvents: false,
  autoPong: true,
  ca: ['PEM'],
  cert: Buffer.alloc(0),
  checkServerIdentity: (servername: string, cert: CertMeta) =>
    servername !== '' && cert !== '',
  ciphers: 'DEFAULT',
  createConnection: net.createConnection,
  family: 4,
  finishRequest,
  followRedirects: true,
  generateMask: (mask) => expectType<Buffer>(mask),
  handshakeTimeout: 1000,
  headers: { cookie: 'a=b' },
  host: 'localhost',
  key: 'PEM',
  localAddress: '127.0.0.1',
  maxBufferedChunks: 1,
  maxFragments: 1,
  maxPayload: 1,
  maxRedirects: 1,
  origin: 'https://localhost',
  passphrase: 'secret',
  perMessageDeflate: deflateOptions,
  protocol: 'http:',
  protocolVersion: 13,
  rejectUnauthorized: false,
  skipUTF8Validation: true
};

const isAllowed: VerifyClientCallbackSync = ({ origin, secure, req }) =>
  secure && origin === req.headers.origin;

const isAllowedLater: VerifyClientCallbackAsync = (info, callback) => {
  expectType<{ origin: string; secure: boolean; req: http.IncomingMessage }>(
    info
  );
  callback(true);
  callback(false, 403, 'No', { 'Retry-After': 1, 'Set-Cookie': ['a=b'] });
};

const serverOptions: ServerOptions = {
  allowSynchronousEvents: true,
  autoPong: false,
  backlog: 10,
  clientTracking: true,
  handleProtocols: (protocols, request) =>
    protocols.has(String(request.headers.cookie)) ? 'chat' : false,
  host: 'localhost',
  maxBufferedChunks: 1,
  maxFragments: 1,
  maxPayload: 1,
  path: '/',
  perMessageDeflate: false,
  port: 0,
  skipUTF8Validation: false,
  verifyClient: isAllowed,
  WebSocket
};

// A connection

function clients(): WebSocket[] {
  return [
    new WebSocket(null),
    new WebSocket('ws://localhost'),
    new WebSocket(new URL('ws://localhost'), clientOptions),
    new WebSocket('ws://localhost', 'chat', clientOptions),
    new WebSocket('ws://localhost', ['chat'], { timeout: 1 }),
    new WebSocket('ws://localhost', undefined, { auth: 'user:password' }),
    new WebSocket.WebSocket('ws://localhost'),
    new Named('ws://localhost')
  ];
}

function attributes(websocket: WebSocket): void {
  websocket.binaryType = 'nodebuffer';
  websocket.binaryType = 'arraybuffer';
  websocket.binaryType = 'fragments';
  expectType<'nodebuffer' | 'arraybuffer' | 'fragments'>(websocket.binaryType);
  expectType<number>(websocket.bufferedAmount);
  expectType<boolean>(websocket.isPaused);
  expectType<string>(websocket.extensions);
  expectType<string>(websocket.protocol);
  expectType<string>(websocket.url);
  expectType<0 | 1 | 2 | 3>(websocket.readyState);
  expectType<[0, 1, 2, 3]>([
    WebSocket.CONNECTING,
    WebSocket.OPEN,
    WebSocket.CLOSING,
    WebSocket.CLOSED
  ]);
  expectType<[0, 1, 2, 3]>([
    websocket.CONNECTING,
    websocket.OPEN,
    websocket.CLOSING,
    websocket.CLOSED
  ]);
  websocket.onopen = (event: Event) => expectType<WebSocket>(event.target);
  websocket.onerror = ({ error, message, type, target }: ErrorEvent) =>
    expectType<[any, string, string, WebSocket]>([
      error,
      message,
      type,
      target
    ]);
  websocket.onclose = ({ wasClean, code, reason }: CloseEvent) =>
    expectType<[boolean, number, string]>([wasClean, code, reason]);
  websocket.onmessage = (event: MessageEvent) => expectType<Data>(event.data);
  websocket.onopen = websocket.onerror = null;
  websocket.onclose = websocket.onmessage = null;
}

function methods(websocket: WebSocket): void {
  const done = (err?: Error): void => expectType<Error | undefined>(err);

  websocket.send('text');
  websocket.send(1, done);
  websocket.send(Buffer.alloc(1), { mask: true, binary: true }, done);
  websocket.send(new Uint8Array(1), { compress: true, fin: false });
  websocket.send(new DataView(new ArrayBuffer(1)));
  websocket.send(new ArrayBuffer(1));
  websocket.send(new SharedArrayBuffer(1));
  websocket.send(new Blob([]));
  websocket.send([1, 2]);
  websocket.send(new String('text'));
  websocket.send({ valueOf: () => new Uint8Array(1) });
  websocket.send({ [Symbol.toPrimitive]: (hint: string) => hint });
  websocket.ping();
  websocket.ping('data', true, (err: Error) => expectType<Error>(err));
  websocket.pong(Buffer.alloc(1), false, done);
  websocket.close();
  websocket.close(1000);
  websocket.close(1000, 'reason');
  websocket.close(1000, Buffer.from('reason'));
  websocket.pause();
  websocket.resume();
  websocket.terminate();
}

function eventTarget(websocket: WebSocket): void {
  const options: EventListenerOptions = { once: true };
  const handler = {
    handleEvent: (event: MessageEvent) => expectType<Data>(event.data)
  };

  websocket.addEventListener('open', (event) => expectType<Event>(event));
  websocket.addEventListener('error', (event) => expectType<any>(event.error));
  websocket.addEventListener('close', ({ code }) => expectType<number>(code));
  websocket.addEventListener('message', handler, options);
  websocket.removeEventListener('message', handler);
  for (const type of ['open', 'close', 'error', 'message'] as const) {
    websocket.addEventListener(type, (event) =>
      expectType<WebSocketEventMap[typeof type]>(event)
    );
  }
}

function events(websocket: WebSocket): WebSocket {
  const onClose = (code: number, reason: Buffer): void =>
    expectType<[number, Buffer]>([code, reason]);
  const onError = (error: Error): void => expectType<Error>(error);
  const onUpgrade = (request: http.IncomingMessage): void =>
    expectType<http.IncomingMessage>(request);
  const onMessage = (data: RawData, isBinary: boolean): void =>
    expectType<[RawData, boolean]>([data, isBinary]);
  const onOpen = (): void => {};
  const onData = (data: Buffer): void => expectType<Buffer>(data);
  const onRedirect = (url: string, request: http.ClientRequest): void =>
    expectType<[string, http.ClientRequest]>([url, request]);
  const onResponse = (
    request: http.ClientRequest,
    response: http.IncomingMessage
  ): void => {
    request.destroy();
    response.resume();
  };
  const onAny = (...args: any[]): void => expectType<any[]>(args);

  websocket.on('message', function (data) {
    this.send(data.toString());
  });
  return websocket
    .on('close', onClose)
    .on('error', onError)
    .on('upgrade', onUpgrade)
    .on('message', onMessage)
    .on('open', onOpen)
    .on('ping', onData)
    .on('pong', onData)
    .on('redirect', onRedirect)
    .on('unexpected-response', onResponse)
    .on(Symbol('any'), onAny)
    .once('close', onClose)
    .once('error', onError)
    .once('upgrade', onUpgrade)
    .once('message', onMessage)
    .once('open', onOpen)
    .once('ping', onData)
    .once('pong', onData)
    .once('redirect', onRedirect)
    .once('unexpected-response', onResponse)
    .once('any', onAny)
    .off('close', onClose)
    .off('error', onError)
    .off('upgrade', onUpgrade)
    .off('message', onMessage)
    .off('open', onOpen)
    .off('ping', onData)
    .off('pong', onData)
    .off('redirect', onRedirect)
    .off('unexpected-response', onResponse)
    .off('any', onAny)
    .addListener('close', onClose)
    .addListener('error', onError)
    .addListener('upgrade', onUpgrade)
    .addListener('message', onMessage)
    .addListener('open', onOpen)
    .addListener('ping', onData)
    .addListener('pong', onData)
    .addListener('redirect', onRedirect)
    .addListener('unexpected-response', onResponse)
    .addListener('any', onAny)
    .removeListener('close', onClose)
    .removeListener('error', onError)
    .removeListener('upgrade', onUpgrade)
    .removeListener('message', onMessage)
    .removeListener('open', onOpen)
    .removeListener('ping', onData)
    .removeListener('pong', onData)
    .removeListener('redirect', onRedirect)
    .removeListener('unexpected-response', onResponse)
    .removeListener('any', onAny);
}

function contents(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  if (data instanceof ArrayBuffer) return Buffer.from(data);
  return data;
}

// A subclass, and what is made of the types

class Binary extends WebSocket {
  override binaryType: 'nodebuffer' | 'arraybuffer' | 'fragments' =
    'arraybuffer';
}

class Listener {
  opened = 0;

  onOpen(this: Listener): void {
    this.opened++;
  }
}

function forward(
  websocket: WebSocket,
  closing: Parameters<WebSocket['close']>,
  ping: Parameters<WebSocket['ping']>,
  pong: Parameters<WebSocket['pong']>
): void {
  const [data, mask, done] = ping;
  const reason: string | Buffer | undefined = closing[1];

  expectType<boolean | undefined>(mask);
  done?.(new Error(String(data)));
  websocket.ping(...ping);
  websocket.pong(...pong);
  expectType<string | Buffer | undefined>(reason);
  websocket.close(...closing);
}

function listen(websocket: WebSocket, server: Server): void {
  const { onOpen } = new Listener();

  websocket.addListener('open', onOpen).removeListener('open', onOpen);
  server.addListener('listening', onOpen).removeListener('listening', onOpen);
}

function verify({ verifyClient }: ServerOptions, req: http.IncomingMessage) {
  const info = { origin: '', secure: true, req };
  const isVerified: boolean | void = verifyClient?.(info, () => {});

  return isVerified;
}

function identity({ checkServerIdentity }: ClientOptions): boolean | undefined {
  return checkServerIdentity?.('localhost', [Buffer.alloc(1)]);
}

// A server

class Request extends http.IncomingMessage {
  user = '';
}

class Connection extends WebSocket {
  isAlive = true;
}

class Service extends WebSocketServer<typeof Connection, typeof Request> {
  override shouldHandle(request: Request): boolean | Promise<boolean> {
    return request.user !== '';
  }
}

function servers(): void {
  new WebSocketServer(serverOptions, () => {});
  new WebSocketServer({ server: http.createServer() });
  new WebSocketServer({ server: https.createServer(), path: '/socket' });
  new WebSocketServer({ noServer: true, verifyClient: isAllowedLater });
  new WebSocket.Server();
  new WebSocket.WebSocketServer({ port: 0 });

  const service = new Service({
    noServer: true,
    WebSocket: Connection,
    verifyClient: (info: { req: Request }) => info.req.user === 'root'
  });

  service.on('connection', (connection, request) => {
    expectType<boolean>(connection.isAlive);
    expectType<string>(request.user);
  });
  service.handleUpgrade(
    new Request(new net.Socket()),
    new net.Socket(),
    Buffer.alloc(0),
    (connection, request) => {
      expectType<Connection>(connection);
      service.emit('connection', connection, request);
    }
  );
  expectType<Set<Connection>>(service.clients);
}

function serverMembers(server: Server): Server {
  const address = server.address();
  const onConnection = (
    websocket: WebSocket,
    request: http.IncomingMessage
  ): void =>
    expectType<[WebSocket, http.IncomingMessage]>([websocket, request]);
  const onError = (error: Error): void => expectType<Error>(error);
  const onHeaders = (
    headers: string[],
    request: http.IncomingMessage
  ): void => {
    headers.push(String(request.url));
  };
  const onClientError = (
    error: Error,
    socket: Duplex,
    request: http.IncomingMessage
  ): void => {
    socket.end(error.message + request.url);
  };
  const onAny = (...args: any[]): void => expectType<any[]>(args);

  if (address !== null && typeof address !== 'string') {
    expectType<AddressInfo>(address);
    expectType<[string, string, number]>([
      address.address,
      address.family,
      address.port
    ]);
  }
  expectType<ServerOptions>(server.options);
  expectType<string>(server.path);
  expectType<Set<WebSocket>>(server.clients);
  server.close();
  server.close((err) => expectType<Error | undefined>(err));
  return server
    .on('connection', function (websocket) {
      expectType<boolean>(this.clients.has(websocket));
    })
    .on('connection', onConnection)
    .on('error', onError)
    .on('headers', onHeaders)
    .on('close', onAny)
    .on('listening', onAny)
    .on('wsClientError', onClientError)
    .on('any', onAny)
    .once('connection', onConnection)
    .once('error', onError)
    .once('headers', onHeaders)
    .once('close', onAny)
    .once('listening', onAny)
    .once('wsClientError', onClientError)
    .once('any', onAny)
    .off('connection', onConnection)
    .off('error', onError)
    .off('headers', onHeaders)
    .off('close', onAny)
    .off('listening', onAny)
    .off('wsClientError', onClientError)
    .off('any', onAny)
    .addListener('connection', onConnection)
    .addListener('error', onError)
    .addListener('headers', onHeaders)
    .addListener('close', onAny)
    .addListener('listening', onAny)
    .addListener('wsClientError', onClientError)
    .addListener('any', onAny)
    .removeListener('connection', onConnection)
    .removeListener('error', onError)
    .removeListener('headers', onHeaders)
    .removeListener('close', onAny)
    .removeListener('listening', onAny)
    .removeListener('wsClientError', onClientError)
    .removeListener('any', onAny);
}

function streams(websocket: WebSocket): Duplex[] {
  return [
    createWebSocketStream(websocket),
    createWebSocketStream(websocket, {
      encoding: 'utf8',
      decodeStrings: false
    }),
    WebSocket.createWebSocketStream(websocket, { readableObjectMode: true })
  ];
}

// All types by the class's name too

export type Names = [
  WebSocket.AddressInfo,
  WebSocket.CertMeta,
  WebSocket.ClientOptions,
  WebSocket.CloseEvent,
  WebSocket.Data,
  WebSocket.ErrorEvent,
  WebSocket.Event,
  WebSocket.EventListenerOptions,
  WebSocket.FinishRequestCallback,
  WebSocket.MessageEvent,
  WebSocket.PerMessageDeflateOptions,
  WebSocket.RawData,
  WebSocket.Server,
  WebSocket.Server<typeof Connection, typeof Request>,
  WebSocket.ServerOptions<typeof Connection, typeof Request>,
  WebSocket.VerifyClientCallbackAsync<Request>,
  WebSocket.VerifyClientCallbackSync<Request>,
  WebSocket.WebSocket,
  WebSocket.WebSocketEventMap,
  WebSocket.WebSocketServer
];

export { attributes, clients, contents, eventTarget, events, methods };
export { serverMembers, servers, streams };
export { Binary, forward, identity, listen, verify };
