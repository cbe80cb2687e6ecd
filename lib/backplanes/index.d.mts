import backplanes from './index.js';

export * from './index.js';
export default backplanes;
