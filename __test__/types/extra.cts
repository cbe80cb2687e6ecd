// What oxws/extra has, in CommonJS.

import WebSocket = require('oxws');
import extra = require('oxws/extra');

const websocket: WebSocket = new WebSocket('ws://localhost');
const sent: Promise<void> = extra.sendAsync(websocket, 'text');
const keeping: extra.KeepAlive = extra.keepAlive(websocket);

export = { sent, keeping };
