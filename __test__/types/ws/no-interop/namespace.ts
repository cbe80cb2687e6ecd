// Without `esModuleInterop` the whole package is the class.

import * as WebSocket from 'ws';
import { Server, WebSocketServer } from 'ws';

const client: WebSocket = new WebSocket('ws://localhost');
const server: WebSocket.Server = new Server({ port: 0 });
const same: WebSocketServer = new WebSocket.WebSocketServer({ port: 0 });

class Mine extends WebSocket {}

export { client, server, same, Mine };
