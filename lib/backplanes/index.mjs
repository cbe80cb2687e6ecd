import backplanes from './index.js';

export const {
  machineBackplane,
  natsBackplane,
  redisBackplane,
  threadBackplane
} = backplanes;

export default backplanes;
