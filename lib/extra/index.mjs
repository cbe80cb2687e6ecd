import extra from './index.js';

export const { keepAlive, messages, sendAsync, shutdown, waitForDrain } = extra;

export default extra;
