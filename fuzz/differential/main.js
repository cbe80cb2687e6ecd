'use strict';

// Plays scenario after scenario with ws and with oxws and shows where they
// differ: node main.js SECONDS [SEED]. With a seed, only that scenario, and all
// of it. OXWS_DRIVER chooses the driver.

const ws = require('ws');

const oxws = require('../..');
const { differ } = require('./index');
const { surviveExceptionsOfWs } = require('./uncaught');

/** Scenarios at once: each waits most of its time. */
const LANES = 8;

const [seconds, seed] = process.argv.slice(2).map(Number);
const driver = process.env.OXWS_DRIVER || 'any driver';

function show({ scenario, ws, oxws }) {
  const { chunks, ...rest } = scenario;

  console.log(JSON.stringify(rest));
  for (const chunk of chunks) {
    const hex = chunk.toString('hex');

    console.log(
      hex.length > 400 ? `${hex.slice(0, 400)}… (${chunk.length} bytes)` : hex
    );
  }
  console.dir({ ws, oxws }, { depth: null });
}

async function replay() {
  const result = await differ(ws, oxws, seed);

  show(result);
  console.log(result.decision ?? 'They differ.');
  if (result.decision === null) process.exitCode = 1;
}

async function search() {
  const first = Math.floor(Math.random() * 2 ** 31);
  const end = Date.now() + seconds * 1000;
  const counts = { scenarios: 0, events: 0, replies: 0 };
  const errors = {};
  const decisions = {};
  let failures = 0;
  let next = first;

  const lane = async () => {
    while (Date.now() < end && failures < 5) {
      const result = await differ(ws, oxws, next++);
      const { events, replies } = result.oxws;

      counts.scenarios++;
      counts.events += events.length;
      counts.replies += replies.length;
      for (const { code } of events.filter(({ event }) => event === 'error')) {
        errors[code] = (errors[code] || 0) + 1;
      }
      if (result.decision) {
        decisions[result.decision] = (decisions[result.decision] || 0) + 1;
      }
      if (result.decision === null) {
        failures++;
        show(result);
        console.log(
          `They differ: npm run fuzz -- differential --seed ${result.seed}`
        );
      }
    }
  };

  await Promise.all(Array.from({ length: LANES }, lane));
  console.log(`${driver}, from seed ${first}`);
  console.dir({ ...counts, errors, decisions });
  console.log(`${failures} undecided differences`);
  if (failures > 0) process.exitCode = 1;
}

surviveExceptionsOfWs();
if (seed === undefined) search();
else replay();
