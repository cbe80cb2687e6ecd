'use strict';

const { Program } = require('../support/program');
const { openPage } = require('./support/browser');

test('the page of the statistics example shows what its messages do', async () => {
  const url = await new Program('examples/statistics/server.js', {
    env: { INTERVAL: '50' }
  }).url();
  const page = await openPage(url);

  await page.waitForSelector('section:has-text("Connections") >> text=0 open');
  await page.click('text=Send some messages');
  await page.waitForSelector('section:has-text("Connections") >> text=10 open');
  await page.waitForFunction(() => {
    const [, received] = document.querySelectorAll('output');

    return parseFloat(received.textContent) > 0;
  });
});
