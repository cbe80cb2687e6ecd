// The ways of ES modules to import the package.

import WebSocket, {
  createWebSocketStream,
  extension,
  PerMessageDeflate,
  Receiver,
  Sender,
  subprotocol,
  WebSocket as Named,
  WebSocketServer,
  type RawData,
  type Server
} from 'oxws';
import * as namespace from 'oxws';

const client: WebSocket = new Named('ws://localhost');
const aliased: namespace.WebSocket = new namespace.default('ws://localhost');
const server: Server = new WebSocketServer({ port: 0 });
const nested: WebSocket.Server = new WebSocket.Server({ noServer: true });
const data: RawData | WebSocket.RawData = Buffer.alloc(0);

// @ts-expect-error: in ES modules the package has no export `Server`.
new namespace.Server({ port: 0 });

export { client, aliased, server, nested, data };
export { createWebSocketStream, extension, subprotocol };
export { PerMessageDeflate, Receiver, Sender };
