'use strict';

// Runs the cases of the Autobahn testsuite against the server and the client
// of this package: npm run autobahn -- --help

const os = require('os');
const path = require('path');
const { parseArgs } = require('util');

const { describe, hasPassed, tableOf } = require('./autobahn-report');
const { install, runCases } = require('./autobahn-suite');

const USAGE = `Usage: npm run autobahn -- [options]

  --side a,b      server, client; both by default
  --driver a,b    inline, thread; both by default
  --route a,b     native, adopted, stream, http2; native by default
  --cases a,b     ids, or patterns as 12.*; all by default
  --quick         a selection of the cases over every route, for each commit
  --library name  what is tested, for comparison: ws`;

const CHOICES = {
  side: ['server', 'client'],
  driver: ['inline', 'thread'],
  route: ['native', 'adopted', 'stream', 'http2']
};

/** Sections 1 to 7 and 10, and of the long cases one of each kind. */
const QUICK = {
  cases:
    '1.*,2.*,3.*,4.*,5.*,6.*,7.*,9.*.1,10.*,12.1.3,12.5.4,' +
    '13.1.11,13.2.2,13.3.3,13.4.2,13.5.3,13.6.2,13.7.3',
  route: 'native,stream,http2'
};

/** So many targets are tested at once: each is busy on one processor at a time. */
const LANES = os.availableParallelism();

/** Each has more fragments than the default limit allows. */
const MANY_FRAGMENTS = ['9.3.1', '9.4.1'];

/** Of each side, so that every case of compression finds what it asks for. */
const OPTIONS = {
  server: { perMessageDeflate: { threshold: 0 } },
  client: { perMessageDeflate: { threshold: 0, clientNoContextTakeover: true } }
};

/** The cases of these patterns by the options they need. */
function groupsOf(side, patterns) {
  const many = MANY_FRAGMENTS.filter((id) =>
    patterns.some((pattern) => matches(pattern, id))
  );
  const groups = [
    {
      name: 'default-limits',
      include: patterns.filter((pattern) => !many.includes(pattern)),
      exclude: many,
      options: OPTIONS[side]
    },
    {
      name: 'no-limits',
      include: many,
      exclude: [],
      options: { ...OPTIONS[side], maxFragments: 0, maxBufferedChunks: 0 }
    }
  ];

  return groups.filter(({ include }) => include.length > 0);
}

/** The suite takes an id that merely begins like a pattern with a `*`. */
function matches(pattern, id) {
  if (!pattern.includes('*')) return pattern === id;

  const parts = pattern.split('*').map((part) => part.replaceAll('.', '\\.'));

  return new RegExp(`^${parts.join('.*')}`).test(id);
}

function targetsOf({ library, ...values }) {
  const [sides, drivers, routes] = Object.entries(CHOICES).map(
    ([name, known]) => {
      const chosen = values[name].split(',');
      const unknown = chosen.find((each) => !known.includes(each));

      if (unknown === undefined) return chosen;
      throw new Error(`--${name} ${unknown}: there are ${known.join(', ')}`);
    }
  );

  return sides.flatMap((side) =>
    drivers.flatMap((driver) =>
      routes.map((route) => ({
        side,
        driver,
        route,
        library: library ? require.resolve(library) : path.join(__dirname, '..')
      }))
    )
  );
}

/** Runs the cases against a target once those of another one are done. */
async function runAfter(other, target, patterns) {
  const reports = [];

  await other;
  for (const group of groupsOf(target.side, patterns)) {
    reports.push(...(await runCases(target, group)));
  }
  return reports;
}

async function main() {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '*' },
      driver: { type: 'string', default: 'inline,thread' },
      help: { type: 'boolean', default: false },
      library: { type: 'string' },
      quick: { type: 'boolean', default: false },
      route: { type: 'string', default: 'native' },
      side: { type: 'string', default: 'server,client' }
    }
  });

  if (values.help) {
    console.log(USAGE);
    return;
  }
  if (values.quick) Object.assign(values, QUICK);

  const targets = targetsOf(values);

  // Whoever ends this process before its end has not seen it succeed.
  process.exitCode = 1;
  install();

  const patterns = values.cases.split(',');
  const outcomes = [];
  const sums = { passed: 0, failed: 0 };

  for (const target of targets) {
    outcomes.push(runAfter(outcomes.at(-LANES), target, patterns));
  }
  for (const [index, { side, driver, route }] of targets.entries()) {
    const reports = await outcomes[index];
    const bad = reports.filter((report) => !hasPassed(report));

    console.log(tableOf(`${side}, ${route}, ${driver}`, reports).join('\n'));
    for (const report of bad) console.log(describe(report));
    console.log();
    sums.passed += reports.length - bad.length;
    sums.failed += bad.length;
  }
  console.log(`${sums.passed} passed, ${sums.failed} failed`);
  if (sums.failed === 0 && sums.passed > 0) process.exitCode = 0;
}

main().catch((err) => {
  console.error(err.message);
  process.exitCode = 1;
});
