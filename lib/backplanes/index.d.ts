/// <reference types="node" />

import type { Backplane } from '../extra/index.js';

export type { Backplane };

/** A client of `ioredis`: a `Redis`, or a `Cluster`. */
export interface IoredisClient {
  publish(channel: string, message: Buffer): Promise<unknown>;
  spublish(channel: string, message: Buffer): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  ssubscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  sunsubscribe(channel: string): Promise<unknown>;
  on(event: string, listener: (...args: any[]) => void): unknown;
  off(event: string, listener: (...args: any[]) => void): unknown;
}

/** A client of `redis`, which is node-redis, or a cluster of it. */
export interface NodeRedisClient {
  publish(channel: string, message: Buffer): Promise<unknown>;
  sPublish(channel: string, message: Buffer): Promise<unknown>;
  subscribe(
    channel: string,
    listener: (message: any, channel: any) => void,
    bufferMode: true
  ): Promise<unknown>;
  sSubscribe(
    channel: string,
    listener: (message: any, channel: any) => void,
    bufferMode: true
  ): Promise<unknown>;
  unsubscribe(
    channel: string,
    listener: (message: any, channel: any) => void,
    bufferMode: true
  ): Promise<unknown>;
  sUnsubscribe(
    channel: string,
    listener: (message: any, channel: any) => void,
    bufferMode: true
  ): Promise<unknown>;
}

/** How {@link redisBackplane} connects. */
export interface RedisBackplaneOptions {
  /** What publishes. */
  publisher: IoredisClient | NodeRedisClient;
  /** What subscribes; another client, as that can do nothing else. */
  subscriber: IoredisClient | NodeRedisClient;
  /** What the names of the channels begin with. */
  prefix: string;
  /** Whether to use sharded channels, of Redis 7. Default: `false`. */
  sharded?: boolean;
  /** Bytes that may wait for the broker, or for each node of a cluster. Default: `16777216`. */
  maxPending?: number;
}

/**
 * Connects {@link Topics} through Redis, or what speaks its protocol. The clients
 * stay open when it is closed.
 */
export function redisBackplane(options: RedisBackplaneOptions): Backplane;

/** A connection of `nats`, or of `@nats-io/transport-node`. */
export interface NatsConnection {
  readonly info?: { max_payload: number } | undefined;
  publish(subject: string, payload: Uint8Array): void;
  subscribe(
    subject: string,
    options: {
      callback: (err: any, message: { data: Uint8Array }) => void;
    }
  ): { unsubscribe(): void };
  flush(): Promise<void>;
  isClosed(): boolean;
}

/** How {@link natsBackplane} connects. */
export interface NatsBackplaneOptions {
  /** What publishes and subscribes. */
  connection: NatsConnection;
  /** What the subjects begin with: tokens with dots between them. */
  prefix: string;
  /** Bytes that may wait for the broker. Default: `16777216`. */
  maxPending?: number;
}

/**
 * Connects {@link Topics} through NATS. The connection stays open when it is
 * closed.
 */
export function natsBackplane(options: NatsBackplaneOptions): Backplane;

/** How {@link threadBackplane} connects. */
export interface ThreadBackplaneOptions {
  /** Those of the same name are connected. */
  name: string;
  /** Bytes that may wait for this thread. Default: `16777216`. */
  maxPending?: number;
}

/** Connects {@link Topics} of the threads of this process. */
export function threadBackplane(options: ThreadBackplaneOptions): Backplane;

/** How {@link machineBackplane} connects. */
export interface MachineBackplaneOptions {
  /** Of a Unix domain socket, or a pipe of Windows. */
  path: string;
  /** Bytes that may wait for each process. Default: `16777216`. */
  maxPending?: number;
}

/**
 * Connects {@link Topics} of processes of this machine, without a broker: the
 * first one listens, and passes on what the others publish.
 */
export function machineBackplane(options: MachineBackplaneOptions): Backplane;
