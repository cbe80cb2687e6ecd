import WebSocket, { WebSocket as Named, WebSocketServer } from 'ws';
import * as namespace from 'ws';

const client: WebSocket = new Named('ws://localhost');
const named: namespace.WebSocket = new namespace.default('ws://localhost');
const server: WebSocketServer = new WebSocketServer({ port: 0 });
const data: namespace.RawData | WebSocket.RawData = Buffer.alloc(0);

class Mine extends WebSocket {}

export { client, named, server, data, Mine };
