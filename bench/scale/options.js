'use strict';

const { parseArgs } = require('util');

const usage = `Usage: npm run bench:scale -- [options]

  --connections n    to be opened in all, or max: as many as memory takes;
                     100000 by default
  --peers a,b        these peers; all that can be had by default
  --peer name=path   one more: bun=<binary> or uws=<uWebSockets.js>
  --interval n       seconds between two pings of keepAlive; 30 by default
  --intervals n      of these are measured; 2 by default
  --rest n           seconds of rest, before memory is read again; 60 by default
  --seconds n        of idling, and of broadcasts, are measured; 10 by default
  --window n         handshakes at a time of each generator; 4 by default
  --node path        the Node.js of the servers
  --out name         bench/results/<name>.json and .md; "scale" by default; what
                     is in it of other peers stays
  --list             names the peers`;

/**
 * @param {string[]} args
 * @returns {Object} The options of a run
 */
function parse(args) {
  const { values } = parseArgs({
    args,
    options: {
      connections: { type: 'string', default: '100000' },
      help: { type: 'boolean', default: false },
      interval: { type: 'string', default: '30' },
      intervals: { type: 'string', default: '2' },
      list: { type: 'boolean', default: false },
      node: { type: 'string', default: process.execPath },
      out: { type: 'string', default: 'scale' },
      peer: { type: 'string', multiple: true, default: [] },
      peers: { type: 'string' },
      rest: { type: 'string', default: '60' },
      seconds: { type: 'string', default: '10' },
      window: { type: 'string', default: '4' }
    }
  });
  const { connections } = values;

  return {
    ...values,
    connections:
      connections === 'max' ? Infinity : count('connections', connections),
    interval: count('interval', values.interval),
    intervals: count('intervals', values.intervals),
    peers: values.peers?.split(','),
    rest: count('rest', values.rest),
    seconds: count('seconds', values.seconds),
    window: count('window', values.window)
  };
}

function count(name, text) {
  const number = Number(text);

  if (number > 0 && Number.isInteger(number)) return number;

  throw new RangeError(`--${name} must be a positive whole number`);
}

module.exports = { parse, usage };
