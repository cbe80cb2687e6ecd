import WebSocket from './index.js';

export const {
  WebSocketServer,
  createWebSocketStream,
  Receiver,
  Sender,
  PerMessageDeflate,
  extension,
  subprotocol
} = WebSocket;

export { WebSocket };

export default WebSocket;
