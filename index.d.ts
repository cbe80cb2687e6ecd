/// <reference types="node" />

import { EventEmitter } from 'events';
import {
  Agent,
  ClientRequest,
  ClientRequestArgs,
  IncomingMessage,
  OutgoingHttpHeaders,
  Server as HTTPServer
} from 'http';
import { Server as HTTPSServer } from 'https';
import { createConnection } from 'net';
import { Duplex, DuplexOptions, Writable } from 'stream';
import { SecureContextOptions } from 'tls';
import { URL } from 'url';
import { ZlibOptions } from 'zlib';

/** What can be sent: text, bytes, a number (as text), or what `Buffer.from()` takes. */
type BufferLike =
  | string
  | number
  | Blob
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | readonly any[]
  | {
      valueOf():
        | string
        | ArrayBuffer
        | SharedArrayBuffer
        | Uint8Array
        | readonly number[];
    }
  | { [Symbol.toPrimitive](hint: string): string };

/** The events of a {@link WebSocket} and what their listeners get. */
interface WebSocketEvents {
  /** The connection is established. */
  open: [];
  /**
   * A message arrived. Text comes as a `Buffer` too, with `isBinary` false;
   * {@link WebSocket.binaryType} says what binary messages come as. The data
   * belongs to the listener, which may keep and change it.
   */
  message: [data: WebSocket.RawData, isBinary: boolean];
  /**
   * The connection is closed; the last event. `code` is the peer's, 1005 if its
   * close frame had none, 1006 if no close frame came.
   */
  close: [code: number, reason: Buffer];
  /**
   * The opening handshake failed or the peer broke the protocol. At most one a
   * connection, always followed by `'close'`. Protocol errors have a `code`
   * that starts with `WS_ERR_`, or zlib's `Z_DATA_ERROR`.
   */
  error: [error: Error];
  /** A ping arrived, of at most 125 bytes. */
  ping: [data: Buffer];
  /** A pong arrived, of at most 125 bytes. */
  pong: [data: Buffer];
  /** The server's answer to the opening handshake, before `'open'`. Client only. */
  upgrade: [response: IncomingMessage];
  /**
   * A redirect is about to be followed by `request`. With a listener, no header
   * is dropped when the redirect leaves the host. Client only.
   */
  redirect: [url: string, request: ClientRequest];
  /**
   * The server answered with something other than 101. The listener owns the
   * request and must end it; without a listener it is an `'error'`. Client only.
   */
  'unexpected-response': [request: ClientRequest, response: IncomingMessage];
}

/** {@link WebSocket} or a subclass. */
type WebSocketClass = new (...args: any[]) => WebSocket;

/** The events of a {@link WebSocket.Server} and what their listeners get. */
interface WebSocketServerEvents<
  T extends WebSocketClass,
  U extends typeof IncomingMessage
> {
  /** A handshake is complete. */
  connection: [websocket: InstanceType<T>, request: InstanceType<U>];
  /** The server is bound. */
  listening: [];
  /** The server is closed, and with `clientTracking` its last connection too. */
  close: [];
  /** The underlying server failed, for example with `EADDRINUSE`. */
  error: [error: Error];
  /**
   * The answer to a valid handshake is about to be written. `headers` holds its
   * lines from the status line on; lines may be added.
   */
  headers: [headers: string[], request: InstanceType<U>];
  /**
   * A handshake is refused before `verifyClient`. The listener must answer on
   * `socket` and close it; without a listener the server does.
   */
  wsClientError: [error: Error, socket: Duplex, request: InstanceType<U>];
}

/** One end of a WebSocket connection. */
declare class WebSocket extends EventEmitter {
  /** The opening handshake is under way. */
  static readonly CONNECTING: 0;
  /** Data can be sent and received. */
  static readonly OPEN: 1;
  /** The closing handshake is under way. */
  static readonly CLOSING: 2;
  /** The connection is closed, or never came to be. */
  static readonly CLOSED: 3;

  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;

  /**
   * Bytes given to `send()`, `ping()` and `pong()`, with their framing, that
   * the operating system has not taken yet. What it takes at once never counts.
   */
  readonly bufferedAmount: number;
  /** The names of the negotiated extensions, separated by commas, or `''`. */
  readonly extensions: string;
  /** Whether {@link WebSocket.pause} was called, and not `resume()` since. */
  readonly isPaused: boolean;
  /** The negotiated subprotocol, or `''`. */
  readonly protocol: string;
  /** The state of the connection. */
  readonly readyState:
    | typeof WebSocket.CONNECTING
    | typeof WebSocket.OPEN
    | typeof WebSocket.CLOSING
    | typeof WebSocket.CLOSED;
  /** The address connected to. Undefined on the server's side. */
  readonly url: string;

  /** The one `'open'` listener of this attribute, as in browsers. Default: `null`. */
  onopen: ((event: WebSocket.Event) => void) | null;
  /** The one `'error'` listener of this attribute. Default: `null`. */
  onerror: ((event: WebSocket.ErrorEvent) => void) | null;
  /** The one `'close'` listener of this attribute. Default: `null`. */
  onclose: ((event: WebSocket.CloseEvent) => void) | null;
  /** The one `'message'` listener of this attribute. Default: `null`. */
  onmessage: ((event: WebSocket.MessageEvent) => void) | null;

  /** Makes the server's end of a connection. For subclasses and `setSocket()`. */
  constructor(address: null);
  /**
   * Connects to a server.
   *
   * @param address A `ws:`, `wss:`, `http:` or `https:` URL, or
   *     `ws+unix:SOCKET_PATH[:URL_PATH]`.
   * @throws {SyntaxError} If the address or a subprotocol is not valid.
   * @throws {RangeError} If `protocolVersion` is neither 8 nor 13, or one of
   *     zlib's options is not valid.
   */
  constructor(
    address: string | URL,
    options?: WebSocket.ClientOptions | ClientRequestArgs
  );
  /** @param protocols The subprotocols to offer, the preferred one first. */
  constructor(
    address: string | URL,
    protocols?: string | string[],
    options?: WebSocket.ClientOptions | ClientRequestArgs
  );

  /**
   * Sends a message, or a fragment of one. After the connection left the `OPEN`
   * state only the callback hears of it.
   *
   * @param cb Called once the bytes are with the operating system, or with the
   *     error that kept them from it.
   * @throws {Error} In the `CONNECTING` state.
   * @throws {TypeError} If the data is nothing that can be sent.
   */
  send(data: BufferLike, cb?: (err?: Error) => void): void;
  send(
    data: BufferLike,
    options: WebSocket.SendOptions,
    cb?: (err?: Error) => void
  ): void;

  /**
   * Sends a ping of at most 125 bytes.
   *
   * @param mask Whether to mask the frame. Default: `true` on the client.
   * @param cb As that of `send()`.
   * @throws {Error} In the `CONNECTING` state.
   * @throws {RangeError} If the data is longer.
   */
  ping(
    data?: any,
    mask?: boolean | ((err: Error) => void),
    cb?: (err: Error) => void
  ): void;
  // What `Parameters` sees is that of @types/ws.
  ping(data?: any, mask?: boolean, cb?: (err: Error) => void): void;

  /**
   * Sends a pong of at most 125 bytes. Pings are answered without it, see
   * {@link WebSocket.ClientOptions.autoPong}.
   *
   * @param mask Whether to mask the frame. Default: `true` on the client.
   * @param cb As that of `send()`.
   * @throws {Error} In the `CONNECTING` state.
   * @throws {RangeError} If the data is longer.
   */
  pong(
    data?: any,
    mask?: boolean | ((err: Error) => void),
    cb?: (err: Error) => void
  ): void;
  // What `Parameters` sees is that of @types/ws.
  pong(data?: any, mask?: boolean, cb?: (err: Error) => void): void;

  /**
   * Starts the closing handshake, or joins the peer's. What was sent before
   * still goes out, and messages may still arrive. In the `CONNECTING` state the
   * handshake is given up instead.
   *
   * @param code 1000 to 1014 without 1004 to 1006, or 3000 to 4999. Default:
   *     none, which the peer sees as 1005.
   * @param reason At most 123 bytes of UTF-8.
   * @throws {TypeError} If the code or the type of the reason is not valid.
   * @throws {RangeError} If the reason is longer.
   */
  close(code?: number, reason?: string | Uint8Array): void;
  // As above.
  close(code?: number, reason?: string | Buffer): void;
  /** Destroys the socket. The peer sees a connection that broke off. */
  terminate(): void;

  /**
   * Stops reading, and so lets the peer's sends back up. Events of what is read
   * already may still come. Nothing happens before `OPEN` and after `CLOSED`.
   */
  pause(): void;
  /** Reads again after {@link WebSocket.pause}. */
  resume(): void;

  /** Adds a listener, once for each type, as an `EventTarget` does. */
  addEventListener<K extends keyof WebSocket.WebSocketEventMap>(
    type: K,
    listener: WebSocket.EventListener<K>,
    options?: WebSocket.EventListenerOptions
  ): void;
  /** Removes a listener that {@link WebSocket.addEventListener} added. */
  removeEventListener<K extends keyof WebSocket.WebSocketEventMap>(
    type: K,
    listener: WebSocket.EventListener<K>
  ): void;

  on<K extends keyof WebSocketEvents>(
    event: K,
    listener: (this: this, ...args: WebSocketEvents[K]) => void
  ): this;
  on(
    event: string | symbol,
    listener: (this: this, ...args: any[]) => void
  ): this;

  once<K extends keyof WebSocketEvents>(
    event: K,
    listener: (this: this, ...args: WebSocketEvents[K]) => void
  ): this;
  once(
    event: string | symbol,
    listener: (this: this, ...args: any[]) => void
  ): this;

  off<K extends keyof WebSocketEvents>(
    event: K,
    listener: (this: this, ...args: WebSocketEvents[K]) => void
  ): this;
  off(
    event: string | symbol,
    listener: (this: this, ...args: any[]) => void
  ): this;

  addListener<K extends keyof WebSocketEvents>(
    event: K,
    listener: (this: this, ...args: WebSocketEvents[K]) => void
  ): this;
  addListener(event: string | symbol, listener: (...args: any[]) => void): this;

  removeListener<K extends keyof WebSocketEvents>(
    event: K,
    listener: (this: this, ...args: WebSocketEvents[K]) => void
  ): this;
  removeListener(
    event: string | symbol,
    listener: (...args: any[]) => void
  ): this;
}

// An accessor of an interface may be a property of a subclass.
interface WebSocket {
  /**
   * What binary messages come as: one `Buffer` (`'nodebuffer'`), one
   * `ArrayBuffer` or `Blob`, or one `Buffer` a frame (`'fragments'`). Holds from
   * the next message on.
   *
   * Default: `'nodebuffer'`. The types of `'message'` leave `Blob` out, as code
   * that never asks for blobs should not have to tell them apart: annotate the
   * listener, `(data: Buffer | Blob) => …`, or test with `instanceof Blob`.
   */
  get binaryType(): 'nodebuffer' | 'arraybuffer' | 'fragments';
  set binaryType(type: WebSocket.BinaryType);
}

declare const WebSocketAlias: typeof WebSocket;
interface WebSocketAlias extends WebSocket {}

declare namespace WebSocket {
  /** What a message comes as, by {@link WebSocket.binaryType}. */
  type RawData = Buffer | ArrayBuffer | Buffer[];

  /** What a {@link MessageEvent} holds: text as a string. */
  type Data = string | RawData;

  /** What {@link WebSocket.binaryType} can be set to. */
  type BinaryType = 'nodebuffer' | 'arraybuffer' | 'blob' | 'fragments';

  /** A certificate or a key, as the TLS options take them. */
  type CertMeta = string | string[] | Buffer | Buffer[];

  /** What `verifyClient` decides on. */
  interface ClientInfo<Request extends IncomingMessage = IncomingMessage> {
    /** The `Origin` header, of version 8 clients `Sec-WebSocket-Origin`. */
    origin: string;
    /** Whether the connection runs over TLS. */
    secure: boolean;
    /** The request to upgrade. */
    req: Request;
  }

  /** Says whether to accept a handshake; false answers 401. */
  type VerifyClientCallbackSync<
    Request extends IncomingMessage = IncomingMessage
  > = (info: ClientInfo<Request>) => boolean;

  /**
   * Says later whether to accept a handshake. Recognised by its two parameters.
   * A refusal is answered with `code` (default 401), the text `message` (default
   * that of the code) and `headers`.
   */
  type VerifyClientCallbackAsync<
    Request extends IncomingMessage = IncomingMessage
  > = (
    info: ClientInfo<Request>,
    callback: (
      res: boolean,
      code?: number,
      message?: string,
      headers?: OutgoingHttpHeaders
    ) => void
  ) => void;

  /** Either kind. What it returns counts only if it has no second parameter. */
  type VerifyClientCallback<Request extends IncomingMessage = IncomingMessage> =
    (...args: Parameters<VerifyClientCallbackAsync<Request>>) => any;

  /** Gets each handshake request before it is sent, and must `end()` it. */
  type FinishRequestCallback = (
    request: ClientRequest,
    websocket: WebSocket
  ) => void;

  /** The options that a client and a server share. */
  interface ConnectionOptions {
    /**
     * Whether several messages, pings and pongs may be emitted in one macrotask.
     * False is nearer to browsers and slower. Default: `true`.
     */
    allowSynchronousEvents?: boolean | undefined;
    /** Whether to answer pings. Default: `true`. */
    autoPong?: boolean | undefined;
    /**
     * Milliseconds that the peer has to finish the closing handshake before the
     * socket is destroyed. Default: 30000.
     */
    closeTimeout?: number | undefined;
    /**
     * The pieces in which the rest of a frame may arrive; one more closes the
     * connection with 1008. 0: no limit. Default: 262144.
     */
    maxBufferedChunks?: number | undefined;
    /**
     * The frames of one message; one more closes the connection with 1008.
     * 0: no limit. Default: 16384.
     */
    maxFragments?: number | undefined;
    /**
     * The bytes of one message, also once inflated; a longer one closes the
     * connection with 1009. 0: no limit. Default: 104857600 (100 MiB).
     */
    maxPayload?: number | undefined;
    /**
     * The automatic pongs that may wait for a peer that does not read; at this
     * number the connection is terminated. 0: no limit. Default: 60.
     */
    maxPendingAutoPongs?: number | undefined;
    /**
     * Whether to compress messages (RFC 7692) with a peer that can. Default:
     * `true` on the client, `false` on the server.
     */
    perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
    /**
     * Whether text and close reasons go unchecked. Only for peers that are
     * trusted. Default: `false`.
     */
    skipUTF8Validation?: boolean | undefined;
  }

  /**
   * The options of a client; those of `http.request()` and `https.request()`
   * are taken too.
   */
  interface ClientOptions extends ConnectionOptions, SecureContextOptions {
    /** Makes or holds the connections, for example through a proxy. */
    agent?: Agent | undefined;
    /**
     * As in `tls.connect()`: gets a `PeerCertificate`, and returns an `Error` if it
     * is not the server's. @types/ws has other types for both.
     */
    checkServerIdentity?(servername: string, cert: any): any;
    /** As in `http.request()`: makes the socket. */
    createConnection?: typeof createConnection | undefined;
    /** The version of IP, 4 or 6. Default: either. */
    family?: number | undefined;
    /** Finishes the handshake's request. Default: it is sent as it is. */
    finishRequest?: FinishRequestCallback | undefined;
    /** Whether to follow redirects. Default: `false`. */
    followRedirects?: boolean | undefined;
    /**
     * Fills `mask`, of 4 bytes, for each frame, before it returns. Default:
     * cryptographically strong random bytes.
     */
    generateMask?(mask: Buffer): void;
    /**
     * Milliseconds that the opening handshake may take, anew after each
     * redirect. Default: no limit.
     */
    handshakeTimeout?: number | undefined;
    /** More headers for the handshake's request. */
    headers?: { [key: string]: string } | undefined;
    /** No effect: the address says where to connect to. */
    host?: string | undefined;
    /** The local address to connect from. */
    localAddress?: string | undefined;
    /** The redirects to follow. Default: 10. */
    maxRedirects?: number | undefined;
    /** The `Origin` header, with version 8 `Sec-WebSocket-Origin`. */
    origin?: string | undefined;
    /** No effect: the address says it. */
    protocol?: string | undefined;
    /** The subprotocols to offer, if not given as the second argument. */
    protocols?: string | string[] | undefined;
    /** The version of the protocol: 13, or 8 for old servers. Default: 13. */
    protocolVersion?: number | undefined;
    /** Whether the server's certificate must be trusted. Default: `true`. */
    rejectUnauthorized?: boolean | undefined;
    /** As in `tls.connect()`: the name for SNI. Default: that of the host. */
    servername?: string | undefined;
  }

  /** permessage-deflate. On the client the parameters are what it asks for. */
  interface PerMessageDeflateOptions {
    /**
     * Whether the server compresses each message on its own; a server with
     * `false` refuses a client that asks for it. Default: if the client asks.
     */
    serverNoContextTakeover?: boolean | undefined;
    /**
     * Whether the client compresses each message on its own; a client with
     * `false` fails a server that asks for it. Default: if the server asks.
     */
    clientNoContextTakeover?: boolean | undefined;
    /**
     * The server's window: 8 to 15, the logarithm of its bytes. Default: 15, or
     * what the client asks for. In JavaScript `false` is taken, too: a server then
     * refuses a client that asks for one.
     */
    serverMaxWindowBits?: number | undefined;
    /**
     * The client's window: 8 to 15, the logarithm of its bytes. Default: 15, or
     * what the server asks for. In JavaScript `false` is taken, too: a client then
     * lets no server ask for one.
     */
    clientMaxWindowBits?: number | undefined;
    /**
     * zlib's options for compressing. `level` (-1 to 9, default 5), `memLevel`
     * (1 to 9, default 6) and `strategy` (0 to 4, default 0) count, the others
     * have no effect.
     */
    zlibDeflateOptions?:
      | {
          flush?: number | undefined;
          finishFlush?: number | undefined;
          chunkSize?: number | undefined;
          windowBits?: number | undefined;
          level?: number | undefined;
          memLevel?: number | undefined;
          strategy?: number | undefined;
          dictionary?: Buffer | Buffer[] | DataView | undefined;
          info?: boolean | undefined;
        }
      | undefined;
    /** zlib's options for inflating. They have no effect. */
    zlibInflateOptions?: ZlibOptions | undefined;
    /**
     * The bytes below which a message stays uncompressed, where each message is
     * compressed on its own. Default: 1024.
     */
    threshold?: number | undefined;
    /**
     * The large messages that the process compresses or inflates at a time; the
     * first value given holds. Default: 10.
     */
    concurrencyLimit?: number | undefined;
  }

  /** How to send a message. */
  interface SendOptions {
    /** Whether the message is binary. Default: by the data's type. */
    binary?: boolean | undefined;
    /** Whether to compress, where negotiated. Default: `true`. */
    compress?: boolean | undefined;
    /** Whether this is the last fragment of its message. Default: `true`. */
    fin?: boolean | undefined;
    /** Whether to mask the frame. Default: `true` on the client. */
    mask?: boolean | undefined;
  }

  /** What listeners get that are added as those of an `EventTarget`. */
  interface Event {
    /** The name of the event. */
    type: string;
    /** Whose event it is. */
    target: WebSocket;
  }

  /** An `'error'` event. */
  interface ErrorEvent {
    /** The error. */
    error: any;
    /** Its message. */
    message: string;
    /** `'error'` */
    type: string;
    /** Whose event it is. */
    target: WebSocket;
  }

  /** A `'close'` event. */
  interface CloseEvent {
    /** Whether a close frame was both sent and received. */
    wasClean: boolean;
    /** The code: 1005 if there was none, 1006 if there was no close frame. */
    code: number;
    /** The reason, or `''`. */
    reason: string;
    /** `'close'` */
    type: string;
    /** Whose event it is. */
    target: WebSocket;
  }

  /** A `'message'` event. */
  interface MessageEvent {
    /** Text as a string, else as {@link WebSocket.binaryType} says. */
    data: Data;
    /** `'message'` */
    type: string;
    /** Whose event it is. */
    target: WebSocket;
  }

  /** The events of {@link WebSocket.addEventListener}. */
  interface WebSocketEventMap {
    /** The connection is established. */
    open: Event;
    /** The handshake failed or the peer broke the protocol. */
    error: ErrorEvent;
    /** The connection is closed. */
    close: CloseEvent;
    /** A message arrived. */
    message: MessageEvent;
  }

  type EventListener<K extends keyof WebSocketEventMap> =
    | ((event: WebSocketEventMap[K]) => void)
    | { handleEvent(event: WebSocketEventMap[K]): void };

  /** How to listen. */
  interface EventListenerOptions {
    /** Whether to remove the listener when it is first called. Default: `false`. */
    once?: boolean | undefined;
  }

  /** Exactly one of `port`, `server` and `noServer` must be given. */
  interface ServerOptions<
    U extends WebSocketClass = typeof WebSocket.WebSocket,
    V extends typeof IncomingMessage = typeof IncomingMessage
  > extends ConnectionOptions {
    /** The port to listen on; 0: any free one. */
    port?: number | undefined;
    /** The address to listen on. Default: all, IPv6 and IPv4. */
    host?: string | undefined;
    /** The connections that may wait to be accepted. Default: 511. */
    backlog?: number | undefined;
    /** The server whose upgrades to handle. It is never closed. */
    server?: HTTPServer<V> | HTTPSServer<V> | undefined;
    /**
     * Whether upgrades come by {@link Server.handleUpgrade} alone. Default:
     * `false`.
     */
    noServer?: boolean | undefined;
    /** The one path served, without the query. Default: all. */
    path?: string | undefined;
    /** Whether to keep {@link Server.clients}. Default: `true`. */
    clientTracking?: boolean | undefined;
    /** Accepts or refuses handshakes. Default: all are accepted. */
    verifyClient?: VerifyClientCallback<InstanceType<V>> | undefined;
    /**
     * Chooses one of the subprotocols that the client offers, or none with
     * `false`. Default: the first.
     */
    handleProtocols?: (
      protocols: Set<string>,
      request: InstanceType<V>
    ) => string | false;
    /** The class of the connections. Default: {@link WebSocket}. */
    WebSocket?: U | undefined;
  }

  /** The address of a server, as `net.Server` tells it. */
  interface AddressInfo {
    /** The IP address. */
    address: string;
    /** `'IPv4'` or `'IPv6'`. */
    family: string;
    /** The port, 1 to 65535. */
    port: number;
  }

  /** Accepts WebSocket connections. */
  class Server<
    T extends WebSocketClass = typeof WebSocket.WebSocket,
    U extends typeof IncomingMessage = typeof IncomingMessage
  > extends EventEmitter {
    /** The options with their defaults. Hooks are read at each handshake. */
    options: ServerOptions<T, U>;
    /** @deprecated Never set. See `options.path`. */
    path: string;
    /** The open connections. Undefined without `clientTracking`. */
    clients: Set<InstanceType<T>>;

    /**
     * @param callback A listener for `'listening'`.
     * @throws {TypeError} Unless one of `port`, `server`, `noServer` is given.
     * @throws {RangeError} If one of zlib's options is not valid.
     */
    constructor(options?: ServerOptions<T, U>, callback?: () => void);

    /**
     * The bound address: of a port an object, of a pipe its path, and null when
     * not listening.
     *
     * @throws {Error} With `noServer`.
     */
    address(): AddressInfo | string | null;
    /**
     * Accepts no further connections. Those there are stay open, and `'close'`
     * waits for them.
     *
     * @param cb Called at `'close'`, with an error if the server was closed.
     */
    close(cb?: (err?: Error) => void): void;
    /**
     * Does the handshake of an upgrade request of Node's HTTP server.
     *
     * @param upgradeHead What arrived after the request's head.
     * @param callback Called with the connection, in the `OPEN` state.
     * @throws {Error} If called again with the same socket.
     */
    handleUpgrade(
      request: InstanceType<U>,
      socket: Duplex,
      upgradeHead: Buffer,
      callback: (client: InstanceType<T>, request: InstanceType<U>) => void
    ): void;
    /**
     * Says whether the request is for this server, by `options.path`; to be
     * overridden. The answer is not awaited: a promise counts as true.
     */
    shouldHandle(request: InstanceType<U>): boolean | Promise<boolean>;

    on<K extends keyof WebSocketServerEvents<T, U>>(
      event: K,
      listener: (
        this: Server<T>,
        ...args: WebSocketServerEvents<T, U>[K]
      ) => void
    ): this;
    on(
      event: string | symbol,
      listener: (this: Server<T>, ...args: any[]) => void
    ): this;

    once<K extends keyof WebSocketServerEvents<T, U>>(
      event: K,
      listener: (
        this: Server<T>,
        ...args: WebSocketServerEvents<T, U>[K]
      ) => void
    ): this;
    once(
      event: string | symbol,
      listener: (this: Server<T>, ...args: any[]) => void
    ): this;

    off<K extends keyof WebSocketServerEvents<T, U>>(
      event: K,
      listener: (
        this: Server<T>,
        ...args: WebSocketServerEvents<T, U>[K]
      ) => void
    ): this;
    off(
      event: string | symbol,
      listener: (this: Server<T>, ...args: any[]) => void
    ): this;

    addListener<K extends keyof WebSocketServerEvents<T, U>>(
      event: K,
      listener: (
        this: Server<T>,
        ...args: WebSocketServerEvents<T, U>[K]
      ) => void
    ): this;
    addListener(
      event: string | symbol,
      listener: (...args: any[]) => void
    ): this;

    removeListener<K extends keyof WebSocketServerEvents<T, U>>(
      event: K,
      listener: (
        this: Server<T>,
        ...args: WebSocketServerEvents<T, U>[K]
      ) => void
    ): this;
    removeListener(
      event: string | symbol,
      listener: (...args: any[]) => void
    ): this;
  }

  /** Accepts WebSocket connections. */
  const WebSocketServer: typeof Server;
  interface WebSocketServer<
    T extends WebSocketClass = typeof WebSocket.WebSocket,
    U extends typeof IncomingMessage = typeof IncomingMessage
  > extends Server<T, U> {}

  const WebSocket: typeof WebSocketAlias;
  interface WebSocket extends WebSocketAlias {}

  /**
   * Wraps a connection in a stream: a chunk written is a message sent, a message
   * is a chunk to read. Ending it closes, destroying it terminates the
   * connection.
   *
   * @param options Those of `Duplex`. With `readableObjectMode` text comes as
   *     strings, and messages keep their borders.
   */
  function createWebSocketStream(
    websocket: WebSocket,
    options?: DuplexOptions
  ): Duplex;

  /** The negotiated extensions by their names. */
  interface Extensions {
    /** Its parameters and its codec, once accepted. */
    'permessage-deflate'?: PerMessageDeflate;
  }

  /** How a {@link Receiver} reads. */
  interface ReceiverOptions {
    /** Default: `true`. */
    allowSynchronousEvents?: boolean | undefined;
    /** Default: `'nodebuffer'`. */
    binaryType?: BinaryType | undefined;
    /** What messages may be compressed with. Default: nothing. */
    extensions?: Extensions | undefined;
    /** Whether frames must be masked. Default: `false`: they must not be. */
    isServer?: boolean | undefined;
    /** Default: 0, no limit. */
    maxBufferedChunks?: number | undefined;
    /** Default: 0, no limit. */
    maxFragments?: number | undefined;
    /** Default: 0, no limit. */
    maxPayload?: number | undefined;
    /** Default: `false`. */
    skipUTF8Validation?: boolean | undefined;
  }

  /** The events of a {@link Receiver} and what their listeners get. */
  interface ReceiverEvents {
    /** A message, whole. */
    message: [data: RawData, isBinary: boolean];
    /** A ping. */
    ping: [data: Buffer];
    /** A pong. */
    pong: [data: Buffer];
    /** A close frame arrived; code 1005 if it is empty. */
    conclude: [code: number, reason: Buffer];
    /** The protocol was broken; `code` is one of `WS_ERR_…`. */
    error: [error: Error];
  }

  /** Turns the bytes of a connection, written to it, into events. */
  class Receiver extends Writable {
    constructor(options?: ReceiverOptions);

    on<K extends keyof ReceiverEvents>(
      event: K,
      listener: (this: this, ...args: ReceiverEvents[K]) => void
    ): this;
    on(
      event: string | symbol,
      listener: (this: this, ...args: any[]) => void
    ): this;

    once<K extends keyof ReceiverEvents>(
      event: K,
      listener: (this: this, ...args: ReceiverEvents[K]) => void
    ): this;
    once(
      event: string | symbol,
      listener: (this: this, ...args: any[]) => void
    ): this;
  }

  /** What a frame's header says. */
  interface FrameOptions {
    /** 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
    opcode: number;
    /** Default: `false`. */
    fin?: boolean | undefined;
    /** Whether the payload is compressed. Default: `false`. */
    rsv1?: boolean | undefined;
    /** Default: `false`. */
    mask?: boolean | undefined;
    /** Fills the 4 bytes of the masking key. Default: random bytes. */
    generateMask?: ((mask: Buffer) => void) | undefined;
    /** Where the masking key is put. */
    maskBuffer?: Buffer | undefined;
    /** Whether the payload must not be masked in place. Default: `false`. */
    readOnly?: boolean | undefined;
  }

  /** Frames messages and writes them to a socket. */
  class Sender {
    constructor(
      socket: Duplex,
      extensions?: Extensions,
      generateMask?: (mask: Buffer) => void
    );

    /** The bytes of one frame, in one or two pieces. */
    static frame(
      data: Buffer | string,
      options: FrameOptions
    ): (Buffer | string)[];

    /**
     * @throws {TypeError} If the code or the type of the reason is not valid.
     * @throws {RangeError} If the reason is longer than 123 bytes.
     */
    close(
      code?: number,
      reason?: string | Uint8Array,
      mask?: boolean,
      cb?: (err?: Error) => void
    ): void;
    /** @throws {RangeError} If the data is longer than 125 bytes. */
    ping(data: BufferLike, mask?: boolean, cb?: (err?: Error) => void): void;
    /** @throws {RangeError} If the data is longer than 125 bytes. */
    pong(data: BufferLike, mask?: boolean, cb?: (err?: Error) => void): void;
    /** Sends a message or a fragment. No option is on by default. */
    send(
      data: BufferLike,
      options: SendOptions,
      cb?: (err?: Error) => void
    ): void;
    /** Writes the pieces of a frame as {@link Sender.frame} gave them. */
    sendFrame(list: (Buffer | string)[], cb?: (err?: Error) => void): void;
  }

  /** The parameters of permessage-deflate as they are negotiated. */
  interface PerMessageDeflateParams {
    /** Whether the server compresses each message on its own. */
    server_no_context_takeover?: boolean;
    /** Whether the client compresses each message on its own. */
    client_no_context_takeover?: boolean;
    /** The logarithm of the server's window, 8 to 15. */
    server_max_window_bits?: number | true;
    /** That of the client's; true offers to heed what the server says. */
    client_max_window_bits?: number | true;
  }

  /** permessage-deflate of one connection: its negotiation and its codec. */
  class PerMessageDeflate {
    /** The name in `Sec-WebSocket-Extensions`. */
    static readonly extensionName: 'permessage-deflate';

    /** The accepted parameters, null before {@link PerMessageDeflate.accept}. */
    params: PerMessageDeflateParams | null;

    constructor(
      options?: PerMessageDeflateOptions & {
        /** Default: `false`. */
        isServer?: boolean | undefined;
        /** The bytes of one inflated message. Default: 0, no limit. */
        maxPayload?: number | undefined;
      }
    );

    /** The parameters that a client offers. */
    offer(): PerMessageDeflateParams;
    /**
     * Takes the first acceptable offer of a client, or the answer of a server.
     *
     * @throws {Error} If nothing can be accepted.
     * @throws {TypeError} If a parameter's value is not valid.
     */
    accept(configurations: ExtensionParameters[]): PerMessageDeflateParams;
    /** Frees the codec. A pending `compress()` is called back with an error. */
    cleanup(): void;
    /** Compresses a message, or a fragment of one unless `fin`. */
    compress(
      data: Buffer | string,
      fin: boolean,
      callback: (err: Error | null, result: Buffer) => void
    ): void;
    /** Inflates a message, or a fragment of one unless `fin`. */
    decompress(
      data: Buffer,
      fin: boolean,
      callback: (err: Error | null, result: Buffer) => void
    ): void;
  }

  /** The parameters of an extension, each with its values; true: it has none. */
  interface ExtensionParameters {
    [name: string]: (string | true)[];
  }

  /** The `Sec-WebSocket-Extensions` header. */
  const extension: {
    /** @throws {SyntaxError} If the header is malformed. */
    parse(header: string): { [name: string]: ExtensionParameters[] };
    /** A header of these extensions and their parameters. */
    format(extensions: { [name: string]: object | object[] }): string;
  };

  /** The `Sec-WebSocket-Protocol` header. */
  const subprotocol: {
    /** @throws {SyntaxError} If the header is malformed or repeats a name. */
    parse(header: string): Set<string>;
  };
}

export = WebSocket;
