// What oxws/backplanes has, in CommonJS.

import backplanes = require('oxws/backplanes');
import extra = require('oxws/extra');

const backplane: backplanes.Backplane = backplanes.threadBackplane({
  name: 'chat'
});
const topics = new extra.Topics({ backplane });

export = { topics };
