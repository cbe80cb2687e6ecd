// The ways of CommonJS to import the package.

import WebSocket = require('oxws');
import * as namespace from 'oxws';
import { Server, WebSocketServer, type RawData } from 'oxws';

const client: WebSocket = new WebSocket('ws://localhost');
const aliased: namespace.WebSocket = new namespace.WebSocket('ws://localhost');
const server: WebSocket.Server = new WebSocket.Server({ port: 0 });
const same: WebSocketServer = new Server({ noServer: true });
const data: RawData = Buffer.alloc(0);
const wider: WebSocket.RawData = data;

export = { client, aliased, server, same, wider };
