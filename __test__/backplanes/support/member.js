'use strict';

// A member by itself: prints what comes for the topic "a", and publishes the
// lines it is told, each a topic and a text.

const readline = require('readline');

const { machineBackplane } = require('../../../lib/backplanes');

const backplane = machineBackplane({ path: process.argv[2] });

backplane.start(
  (topic, bytes) => {
    if (bytes.length < 100) console.log(`${topic}: ${bytes}`);
  },
  (err) => console.log(err.message)
);
backplane.subscribe('a').then(() => console.log('subscribed'));
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [topic, text] = line.split(' ');

  backplane.publish(topic, Buffer.from(text));
});
