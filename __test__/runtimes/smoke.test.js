'use strict';

const path = require('path');

const { runNode } = require('../support/child');

const script = path.join(__dirname, 'smoke.js');
const parts = 11;

/** What macOS, Windows, Bun and Deno lack, taken away. */
describe.each([
  ['nothing', {}],
  ["libuv's functions", { OXWS_UV: '0' }],
  ["Node's descriptors", { OXWS_ADOPT: '0' }],
  ['either', { OXWS_UV: '0', OXWS_ADOPT: '0' }]
])('smoke.js, without %s', (_, env) => {
  test('prints all its parts', async () => {
    const { code, stdout, stderr } = await runNode(
      ['--no-warnings', script],
      env
    );

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toHaveLength(parts);
  });
});
