'use strict';

// Plays scenario after scenario with ws and with oxws and shows where they
// differ: node main.js KIND SECONDS [SEED]. With a seed, only that scenario, and
// all of it. OXWS_DRIVER chooses the driver.

const { isDeepStrictEqual } = require('util');
const ws = require('ws');

const oxws = require('../..');
const { differ } = require('./index');
const { surviveExceptionsOfWs } = require('./uncaught');

/** Scenarios at once: each waits most of its time. */
const LANES = 8;

const [kind, ...numbers] = process.argv.slice(2);
const [seconds, seed] = numbers.map(Number);
const driver = process.env.OXWS_DRIVER || 'any driver';

function show({ scenario, ws, oxws }) {
  const { chunks = [], ...rest } = scenario;

  console.log(rest);
  for (const chunk of chunks) {
    const hex = chunk.toString('hex');

    console.log(
      hex.length > 400 ? `${hex.slice(0, 400)}… (${chunk.length} bytes)` : hex
    );
  }
  console.dir({ ws, oxws }, { depth: null });
}

/** Only where they part. */
function showDifference({ scenario, ws, oxws }) {
  console.dir({ ...scenario, chunks: undefined }, { depth: null });
  for (const name of Object.keys(ws)) {
    if (isDeepStrictEqual(ws[name], oxws[name])) continue;

    const first = [...ws[name]].findIndex(
      (entry, index) => !isDeepStrictEqual(entry, oxws[name][index])
    );
    const from = Math.max(0, first < 0 ? ws[name].length : first) - 2;
    const part = (list) => list.slice(Math.max(0, from), from + 6);

    console.dir(
      { [name]: { from, ws: part(ws[name]), oxws: part(oxws[name]) } },
      { depth: null, breakLength: 120 }
    );
  }
}

function count(counts, name) {
  counts[name] = (counts[name] || 0) + 1;
}

async function replay() {
  const result = await differ(kind, ws, oxws, seed);

  show(result);
  console.log(result.decision ?? 'They differ.');
  if (result.decision === null) process.exitCode = 1;
}

async function search() {
  const first = Math.floor(Math.random() * 2 ** 31);
  const end = Date.now() + seconds * 1000;
  const counts = { scenarios: 0, events: 0 };
  const errors = {};
  const decisions = {};
  let failures = 0;
  let next = first;

  const lane = async () => {
    while (Date.now() < end && failures < 5) {
      const result = await differ(kind, ws, oxws, next++);
      const { events } = result.oxws;

      counts.scenarios++;
      counts.events += events.length;
      for (const { event, code, message } of events) {
        if (event === 'error') count(errors, code ?? message);
      }
      if (result.decision) count(decisions, result.decision);
      if (result.decision === null) {
        failures++;
        showDifference(result);
        console.log(
          `They differ: npm run fuzz -- ${kind} --seed ${result.seed}`
        );
      }
    }
  };

  await Promise.all(Array.from({ length: LANES }, lane));
  console.log(`${kind}, ${driver}, from seed ${first}`);
  console.dir({ ...counts, errors, decisions });
  console.log(`${failures} undecided differences`);
  if (failures > 0) process.exitCode = 1;
}

surviveExceptionsOfWs();
if (seed === undefined) search();
else replay();
