import extra from './index.js';

export const {
  PreparedMessage,
  Topics,
  broadcast,
  connectHttp2,
  handleConnect,
  keepAlive,
  messages,
  sendAsync,
  serveHttp2,
  shutdown,
  stats,
  waitForDrain
} = extra;

export default extra;
