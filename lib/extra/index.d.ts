/// <reference types="node" />

import { EventEmitter } from 'events';
import type { ClientRequestArgs, IncomingMessage } from 'http';
import type {
  ClientHttp2Session,
  Http2SecureServer,
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Stream
} from 'http2';

import WebSocket = require('../../index.js');

/** What a connection is kept alive with: see {@link keepAlive}. */
export interface KeepAliveOptions {
  /** Milliseconds between two looks. Default: `30000`. */
  pingInterval?: number;
  /** Milliseconds in which a ping is to be answered. Default: `10000`. */
  pingTimeout?: number;
}

/** What {@link keepAlive} returns. */
export interface KeepAlive extends Disposable {
  /** Looks after nobody any more. */
  stop(): void;
}

/**
 * Pings the peers that are silent, and terminates the connections of those that
 * stay silent. Any byte of a peer is a sign of life.
 *
 * @param target A WebSocket, or a server for all its clients.
 */
export function keepAlive(
  target: WebSocket | WebSocket.Server<any, any>,
  options?: KeepAliveOptions
): KeepAlive;

/** How a {@link PreparedMessage} is encoded. */
export interface PreparedMessageOptions {
  /** Whether the message is binary. Default: by the data's type. */
  binary?: boolean;
  /** As in {@link BroadcastOptions}. */
  compress?: boolean | 'each';
}

/** A message that is encoded, and compressed, once for all who get it. */
export class PreparedMessage {
  /** @param data What `send()` takes, but for Blobs; bytes are copied. */
  constructor(
    data: Parameters<WebSocket['send']>[0],
    options?: PreparedMessageOptions
  );

  /** Sends it to one WebSocket, as `send()` does. */
  sendTo(websocket: WebSocket, cb?: (err?: Error) => void): void;
}

/** To whom {@link broadcast} sends, and how. */
export interface BroadcastOptions<T extends WebSocket = WebSocket> {
  /** Whether the message is binary. Default: by the data's type. */
  binary?: boolean;
  /**
   * Whether to compress, where negotiated: `true` once for all, `'each'` by each
   * connection's own compressor. Default: `true`.
   */
  compress?: boolean | 'each';
  /** The WebSocket, or those, to leave out. */
  except?: T | ReadonlySet<T>;
  /** A WebSocket with more bytes waiting is slow. Default: `Infinity`. */
  maxBuffered?: number;
  /** What is done with slow ones, which are not sent this. Default: `'skip'`. */
  onSlow?: 'skip' | 'terminate' | ((websocket: T) => void);
}

/**
 * Sends a message to many WebSockets, encoded and compressed once. Those that
 * are not open are left out.
 *
 * @returns For how many it was queued.
 */
export function broadcast<T extends WebSocket = WebSocket>(
  clients: Iterable<T>,
  data: Parameters<WebSocket['send']>[0] | PreparedMessage,
  options?: BroadcastOptions<T>
): number;

/**
 * What connects topics of several processes. Functions may return a promise; what
 * it rejects with is an `'error'` of the {@link Topics}.
 */
export interface Backplane {
  /**
   * Called first, with a function to be called with what others publish to topics
   * that are subscribed to. What was published here may come back, too. The other
   * one is for failures that belong to no call.
   */
  start(
    deliver: (topic: string, bytes: Uint8Array) => void,
    fail: (err: Error) => void
  ): unknown;
  /** Somebody here is subscribed to a topic, and nobody was. */
  subscribe(topic: string): unknown;
  /** Nobody is any more. */
  unsubscribe(topic: string): unknown;
  /** Brings bytes to the others that have subscribed to a topic. */
  publish(topic: string, bytes: Uint8Array): unknown;
  /** Called last. */
  close(): unknown;
}

/** How {@link Topics} publish. */
export interface TopicsOptions<T extends WebSocket = WebSocket> {
  /** Who has more bytes waiting is slow. Default: `Infinity`. */
  maxBuffered?: number;
  /** What is done with the slow, who are not sent this. Default: `'skip'`. */
  onSlow?: 'skip' | 'terminate' | ((websocket: T) => void);
  /** What connects them with the topics of other processes. Default: none. */
  backplane?: Backplane;
}

/** How a message is published: see {@link Topics.publish}. */
export interface PublishOptions<T extends WebSocket = WebSocket> {
  /** Whether the message is binary. Default: by the data's type. */
  binary?: boolean;
  /** As in {@link BroadcastOptions}. */
  compress?: boolean | 'each';
  /** Who is left out. */
  except?: T | ReadonlySet<T>;
}

/**
 * Topics that WebSockets are subscribed to, by names that match exactly. Who is
 * not open any more is subscribed to nothing, from before `'close'` on.
 */
export class Topics<T extends WebSocket = WebSocket> extends EventEmitter {
  constructor(options?: TopicsOptions<T>);

  /** @returns Whether it is from here on: not if it was, or is not open. */
  subscribe(websocket: T, topic: string): boolean;

  /**
   * @param topic Without it, all of its topics.
   * @returns Whether it was subscribed.
   */
  unsubscribe(websocket: T, topic?: string): boolean;

  /** Whether it is subscribed to a topic. */
  isSubscribed(websocket: T, topic: string): boolean;

  /** The topics that it is subscribed to. */
  topicsOf(websocket: T): string[];

  /** How many are subscribed to a topic in this process. */
  size(topic: string): number;

  /**
   * Sends a message to all who are subscribed to a topic.
   *
   * @returns For how many in this process it was queued.
   */
  publish(
    topic: string,
    data: Parameters<WebSocket['send']>[0] | PreparedMessage,
    options?: PublishOptions<T>
  ): number;

  /** Takes all subscriptions back, and closes the backplane. */
  close(): Promise<void>;

  on(event: 'error', listener: (err: Error) => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** A message, as listeners of `'message'` get it. */
export interface Message {
  /** The message: text is a `Buffer`, too. */
  data: WebSocket.RawData;
  /** Whether it is binary. */
  isBinary: boolean;
}

/**
 * The messages from now on. The WebSocket is paused while nobody takes them.
 * The iteration ends with the connection, if that was closed with code 1000,
 * 1001 or none (1005), and throws otherwise.
 */
export function messages(websocket: WebSocket): AsyncIterableIterator<Message>;

/** How {@link shutdown} closes. */
export interface ShutdownOptions {
  /** The code of the close frames. Default: `1001`. */
  code?: number;
  /** Their reason, 123 bytes of UTF-8 at most. Default: none. */
  reason?: string;
  /** Milliseconds after which the rest is terminated. Default: `30000`. */
  timeout?: number;
  /** Milliseconds over which the close frames are spread. Default: `0`. */
  spread?: number;
}

/** What became of the connections of a server that was shut down. */
export interface ShutdownResult {
  /** How many have closed by themselves. */
  closed: number;
  /** How many were terminated. */
  terminated: number;
}

/**
 * Closes a server and its connections: upgrades are refused with 503 from here
 * on, all clients are asked to close, and those that do not are terminated.
 */
export function shutdown(
  wss: WebSocket.Server<any, any>,
  options?: ShutdownOptions
): Promise<ShutdownResult>;

/** A request for a WebSocket over HTTP/2. */
export interface ConnectRequest extends IncomingMessage {
  /** The stream that the WebSocket has. */
  readonly stream: ServerHttp2Stream;
}

/**
 * Has a server take WebSockets over HTTP/2 (RFC 8441), and over HTTP/1.1 where
 * the server of Node.js allows that. Each is a `'connection'`.
 *
 * @param server One that does not listen yet: the settings of its sessions say
 * that it takes WebSockets.
 */
export function serveHttp2(
  wss: WebSocket.Server<any, any>,
  server:
    Http2Server<any, any, any, any> | Http2SecureServer<any, any, any, any>
): void;

/**
 * Answers a request for a WebSocket over HTTP/2, as `wss.handleUpgrade()` does
 * over HTTP/1.1. The settings of the session must have `enableConnectProtocol`.
 *
 * @param headers As they came with the stream.
 */
export function handleConnect<T extends new (...args: any[]) => WebSocket>(
  wss: WebSocket.Server<T, any>,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  cb: (websocket: InstanceType<T>, request: ConnectRequest) => void
): void;

/** How {@link connectHttp2} connects. */
export interface ConnectHttp2Options extends WebSocket.ConnectionOptions {
  /** Credentials, `user:password`. Default: those of the URL. */
  auth?: string;
  /** Fills `mask`, of 4 bytes, for each frame. Default: random bytes. */
  generateMask?(mask: Buffer): void;
  /** Milliseconds that the handshake may take. Default: no limit. */
  handshakeTimeout?: number;
  /** Header fields to add. */
  headers?: ClientRequestArgs['headers'];
  /** The field `Origin`, with version 8 `Sec-WebSocket-Origin`. */
  origin?: string;
  /** The subprotocols to offer, if not given as the third argument. */
  protocols?: string | string[];
  /** The version of the protocol: 13, or 8 for old servers. Default: 13. */
  protocolVersion?: number;
}

/**
 * Opens a WebSocket over a session of HTTP/2, whose server takes those (RFC
 * 8441). The session is the program's: it is not closed.
 */
export function connectHttp2(
  session: ClientHttp2Session,
  address: string | URL,
  protocols?: string | string[],
  options?: ConnectHttp2Options
): WebSocket;
export function connectHttp2(
  session: ClientHttp2Session,
  address: string | URL,
  options?: ConnectHttp2Options
): WebSocket;

/** What connections are doing: see {@link stats}. */
export interface Stats {
  /** How many there are: those that are open, or closing. */
  connections: number;
  /** How many of them go which way: `'engine'`, `'engine, TLS'`, `'stream'` … */
  routes: Record<string, number>;
  /** The thread that polls the engine: JavaScript's, or the I/O thread. */
  driver: 'inline' | 'thread';
  /** Messages that were delivered so far. */
  messagesReceived: number;
  /** Messages that were sent so far, by whatever function. */
  messagesSent: number;
  /** Bytes that came over their sockets so far. */
  bytesReceived: number;
  /** Bytes that the kernel, or the stream below, took so far. */
  bytesSent: number;
  /** Bytes that wait to be written. */
  bytesBuffered: number;
  /** The most that wait for one of them. */
  maxBuffered: number;
  /** How many are paused. */
  paused: number;
  /** How many have negotiated permessage-deflate. */
  compressed: number;
}

/**
 * What the clients of a server are doing: see {@link stats}. What only grows has
 * that of the clients that have gone, too.
 */
export interface ServerStats extends Stats {
  /** How many upgrades were accepted so far. */
  accepted: number;
  /** How many were refused so far, by status code. */
  refused: Record<number, number>;
  /** How many clients have gone so far, by close code. */
  closed: Record<number, number>;
}

/**
 * What connections are doing at the moment, and have done so far.
 *
 * @param target A server, for its clients, or one WebSocket, or many.
 */
export function stats(target: WebSocket.Server<any, any>): ServerStats;
export function stats(target: WebSocket | Iterable<WebSocket>): Stats;

/** What all channels but `oxws:server:refused` are told with. */
export interface WebSocketEvent {
  /** Whom it is about. */
  websocket: WebSocket;
}

/** A ping or pong that the peer has sent. */
export interface ControlEvent extends WebSocketEvent {
  /** Its payload. */
  payload: Buffer;
}

/**
 * What the channels of `diagnostics_channel` are told with, by their names, and by
 * `oxws:message` the tracing channel around the listeners of a message. The
 * channels are there without `oxws/extra`; it has their types only.
 */
export interface DiagnosticsEvents {
  /** At the end of the constructor. */
  'oxws:websocket:created': WebSocketEvent;
  /** Before `'open'`; of those of a server, too. */
  'oxws:websocket:open': WebSocketEvent & {
    /** The negotiated subprotocol, or an empty string. */
    protocol: string;
    /** The names of the negotiated extensions. */
    extensions: string;
  };
  /** Before `'message'`. */
  'oxws:websocket:message': WebSocketEvent & Message;
  /** By `send()`, while open. */
  'oxws:websocket:sent': WebSocketEvent & {
    /** As `send()` was given it; a number is text by then. */
    data: Exclude<Parameters<WebSocket['send']>[0], number>;
    /** Whether it is binary. */
    binary: boolean;
  };
  /** Before `'ping'`. */
  'oxws:websocket:ping': ControlEvent;
  /** Before `'pong'`. */
  'oxws:websocket:pong': ControlEvent;
  /** Before `'error'`. */
  'oxws:websocket:error': WebSocketEvent & {
    /** What `'error'` tells. */
    error: Error;
  };
  /** Before `'close'`. */
  'oxws:websocket:close': WebSocketEvent & {
    /** What `'close'` tells. */
    code: number;
    /** As above. */
    reason: Buffer;
  };
  /** Before `'connection'`. */
  'oxws:server:connection': WebSocketEvent & {
    /** Who has accepted it. */
    server: WebSocket.Server<any, any>;
    /** What it was asked with. */
    request: IncomingMessage;
  };
  /** A request was refused. */
  'oxws:server:refused': {
    /** Who has refused it. */
    server: WebSocket.Server<any, any>;
    /** What it was asked with. */
    request: IncomingMessage;
    /** The status code of the answer. */
    code: number;
    /** What `verifyClient` has to say with it, or why it is no upgrade. */
    message: string | undefined;
  };
  /** The context of the tracing channel. */
  'oxws:message': WebSocketEvent &
    Message & {
      /** What a listener has thrown, for `error`, and `end` after it. */
      error?: unknown;
    };
}

/** When {@link waitForDrain} resolves. */
export interface DrainOptions {
  /** Bytes that may still wait. Default: `0`. */
  threshold?: number;
  /** Gives up. */
  signal?: AbortSignal;
}

/**
 * Resolves once no more than a threshold of bytes waits to be written. Rejects
 * if the WebSocket closes first.
 */
export function waitForDrain(
  websocket: WebSocket,
  options?: DrainOptions
): Promise<void>;

/** How {@link sendAsync} sends. */
export interface SendAsyncOptions extends WebSocket.SendOptions {
  /** Bytes that may wait to be written. Default: `65536`. */
  highWaterMark?: number;
  /** Gives up waiting; a message that was sent is sent. */
  signal?: AbortSignal;
}

/**
 * Sends a message and resolves when the next one may be sent. Rejects if the
 * WebSocket is closed, or closes first.
 */
export function sendAsync(
  websocket: WebSocket,
  data: Parameters<WebSocket['send']>[0],
  options?: SendAsyncOptions
): Promise<void>;
