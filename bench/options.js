'use strict';

const { parseArgs } = require('util');

const usage = `Usage: npm run bench -- [options]

  --all              every scenario and every peer there is
  --scenarios a,b    these scenarios
  --peers a,b        these peers; ratios are to ws
  --peer name=path   one more: bun=<binary>, uws=<uWebSockets.js>, or
                     <any name>=<a package with the API of ws>
  --rounds n         runs of each scenario and peer; 3 by default
  --seconds n        measured in a run; 1 by default
  --connections n    idle connections whose memory is measured; 10000 by default
  --node path        the Node.js of servers and clients
  --out name         bench/results/<name>.json, .md and .svg; "latest" by default
  --list             names the scenarios and peers`;

/**
 * @param {string[]} args
 * @returns {Object} The options of a benchmark
 */
function parse(args) {
  const { values } = parseArgs({
    args,
    options: {
      all: { type: 'boolean', default: false },
      connections: { type: 'string', default: '10000' },
      help: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      node: { type: 'string', default: process.execPath },
      out: { type: 'string', default: 'latest' },
      peer: { type: 'string', multiple: true, default: [] },
      peers: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      scenarios: { type: 'string' },
      seconds: { type: 'string', default: '1' }
    }
  });

  return {
    ...values,
    connections: positive('connections', values.connections),
    peers: values.peers?.split(','),
    rounds: positive('rounds', values.rounds),
    scenarios: values.scenarios?.split(','),
    seconds: positive('seconds', values.seconds)
  };
}

function positive(name, text) {
  const number = Number(text);

  if (number > 0) return number;

  throw new RangeError(`--${name} must be a positive number`);
}

module.exports = { parse, usage };
