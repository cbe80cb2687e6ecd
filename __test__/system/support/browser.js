'use strict';

const { chromium } = require('playwright-core');

const { find } = require('./requirements');

const ARGUMENTS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
];

const errors = [];
let browser;

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: find('chromium'),
    chromiumSandbox: false,
    args: ARGUMENTS
  });
});

// What goes wrong in a page fails the running test.
afterEach(() => expect(errors.splice(0)).toEqual([]));

afterAll(() => browser?.close());

/**
 * A page with storage of its own.
 *
 * @param {string} url
 * @param {object} [options] of the browser's context
 * @param {Function} [prepare] runs in the page before its own scripts
 */
async function openPage(url, options = {}, prepare = undefined) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    ...options
  });
  const page = await context.newPage();

  page.on('pageerror', (err) => errors.push(err.message));
  if (prepare) await page.addInitScript(prepare);
  await page.goto(url);
  return page;
}

module.exports = { openPage };
