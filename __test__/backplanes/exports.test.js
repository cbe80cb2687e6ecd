'use strict';

const path = require('path');

const backplanes = require('../../lib/backplanes');
const { root, runNode } = require('../support/child');

const NAMES = [
  'machineBackplane',
  'natsBackplane',
  'redisBackplane',
  'threadBackplane'
];

test('oxws/backplanes has what it says, in both module systems', async () => {
  expect(Object.keys(backplanes).sort()).toEqual(NAMES);

  const { stdout, stderr } = await runNode([
    '--input-type=module',
    '-e',
    `import backplanes, * as namespace from 'oxws/backplanes';
     import { createRequire } from 'module';
     const required = createRequire(import.meta.url)('oxws/backplanes');
     const { default: _, ...named } = namespace;
     console.log(JSON.stringify([
       backplanes === required,
       Object.keys(named).every((name) => named[name] === backplanes[name]),
       Object.keys(named).sort()
     ]));`
  ]);

  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([true, true, NAMES]);
});

test.each([
  ['machineBackplane', 'The option "path" must be a string'],
  ['natsBackplane', 'The option "connection" must be one of nats'],
  [
    'redisBackplane',
    'The option "publisher" must be a client of ioredis or of redis'
  ],
  ['threadBackplane', 'The option "name" must be a string']
])('%s() says which option it needs', (name, message) => {
  expect(() => backplanes[name]()).toThrow(new TypeError(message));
});

test('no client of a broker is loaded by it', async () => {
  const { stdout } = await runNode([
    '-e',
    `require('oxws/backplanes');
     console.log(Object.keys(require.cache).filter((name) =>
       name.includes('node_modules')).length)`
  ]);

  expect(stdout).toBe('0\n');
});

test('its files are published', () => {
  const { exports, files } = require('../../package.json');

  for (const conditions of Object.values(exports['./backplanes'])) {
    for (const target of Object.values(conditions)) {
      const name = path.relative(root, path.join(root, target));

      expect(files.includes(name) || name.endsWith('.js')).toBe(true);
    }
  }
});
