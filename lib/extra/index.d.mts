import extra from './index.js';

export * from './index.js';
export default extra;
