import WebSocket = require('ws');
import * as namespace from 'ws';
import { Server, WebSocketServer } from 'ws';

const client: WebSocket = new WebSocket('ws://localhost');
const named: namespace.WebSocket = new namespace.WebSocket('ws://localhost');
const server: WebSocket.Server = new WebSocket.Server({ port: 0 });
const same: WebSocketServer = new Server({ noServer: true });

class Mine extends WebSocket {}

export = { client, named, server, same, Mine };
