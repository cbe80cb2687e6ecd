'use strict';

const { facts } = require('../report');

const KIB = 1024;

const figure = (value) => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
const whole = (value) => value.toFixed(0);
const percent = (share) => `${figure(share * 100)} %`;
const kib = (bytes) => (bytes / KIB).toFixed(2);
const milliseconds = (microseconds) => figure(microseconds / 1000);

/** By the heading of a table: its columns, and how they are had from a run. */
const TABLES = {
  Opening: {
    connections: ({ connections }) => whole(connections),
    processes: ({ processes }) => whole(processes),
    seconds: ({ opening }) => figure(opening.seconds),
    '1/s': ({ opening }) => whole(opening.connections / opening.seconds),
    'CPU µs each': ({ opening }) => figure(opening.cpu),
    'p50 ms': ({ opening }) => milliseconds(opening.p50),
    p99: ({ opening }) => milliseconds(opening.p99),
    'ended by': ({ opening }) => opening.limit || 'the number asked for'
  },
  'Memory, KiB a connection': {
    resident: ({ memory }) => kib(memory.resident),
    '… after a rest': ({ rested }) => kib(rested.resident),
    'private dirty': ({ memory }) => kib(memory.dirty),
    '… after a rest, dirty': ({ rested }) => kib(rested.dirty),
    'kernel, both ends': ({ memory }) => kib(memory.slab + memory.buffers),
    '… of it buffers': ({ memory }) => kib(memory.buffers),
    'page tables': ({ memory }) => kib(memory.pageTables),
    'the whole machine': ({ memory }) => kib(-memory.available)
  },
  'CPU of the servers, of one core': {
    idle: ({ idle }) => (idle === null ? '' : percent(idle.cpu)),
    'with pings': ({ pinged }) => percent(pinged.cpu),
    'pings/s': ({ pinged }) => whole(pinged.pings),
    'with a broadcast a second': ({ broadcast }) => percent(broadcast.cpu),
    'deliveries/s': ({ broadcast }) => whole(broadcast.messages),
    'p50 ms': ({ broadcast }) => milliseconds(broadcast.p50),
    p99: ({ broadcast }) => milliseconds(broadcast.p99),
    last: ({ broadcast }) => milliseconds(broadcast.last),
    lost: ({ idle, pinged, broadcast }) =>
      whole((idle?.closed ?? 0) + pinged.closed + broadcast.closed)
  }
};

/**
 * @param {Object[]} runs What `measure()` has returned, or `{ peer, error }`
 * @returns {string} Tables in Markdown
 */
function tables(runs) {
  return Object.entries(TABLES)
    .map(([heading, columns]) => {
      const names = ['peer', ...Object.keys(columns)];
      const rule = ['---', ...names.slice(1).map(() => '--:')];
      const rows = runs.map((run) => [
        run.peer,
        ...(run.error === undefined
          ? Object.values(columns).map((cell) => cell(run))
          : [run.error])
      ]);
      const lines = [names, rule, ...rows].map(
        (cells) => `| ${cells.join(' | ')} |`
      );

      return [`### ${heading}`, '', ...lines, ''].join('\n');
    })
    .join('\n');
}

/**
 * @param {Object<string, string>} machine What it was measured on
 * @param {Object[]} runs
 * @returns {string} The report in Markdown
 */
function report(machine, runs) {
  return [
    '# Many connections',
    '',
    `${facts(machine).join(', ')}.`,
    '',
    'What connections cost is what all but the first hundred of each process have',
    'added. "Kernel" is what its slabs and the buffers of TCP have grown by; as',
    'both ends are on this machine, a server has half of it. "The whole machine"',
    'has the generators, too. Times are those of the slowest generator: of the',
    'last handshakes, and from the sending of a broadcast to its arrival.',
    '',
    tables(runs)
  ].join('\n');
}

module.exports = { report, tables };
