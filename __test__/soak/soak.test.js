'use strict';

const path = require('path');

const { runNode } = require('../support/child');

const main = path.join(__dirname, 'main.js');

test.each([process.env.OXWS_DRIVER, 'alternate'])(
  'mixed traffic for a while, driver %s',
  async (driver) => {
    const { code, stdout, stderr } = await runNode(
      ['--expose-gc', main, '2.5'],
      { OXWS_DRIVER: driver }
    );

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout).messages).toBeGreaterThan(0);
  }
);
