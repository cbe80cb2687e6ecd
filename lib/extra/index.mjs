import extra from './index.js';

export const {
  PreparedMessage,
  Topics,
  broadcast,
  keepAlive,
  messages,
  sendAsync,
  shutdown,
  waitForDrain
} = extra;

export default extra;
