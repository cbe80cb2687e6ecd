'use strict';

// The page of the chat example, as its visitors use it.

const fs = require('fs');

const { Program } = require('../support/program');
const { openPage } = require('./support/browser');

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true
};

const start = (port = '0') =>
  new Program('examples/chat/server.js', { env: { PORT: port } });

async function visit(url, name, options = DESKTOP) {
  const page = await openPage(url, options);

  await page.fill('#name', name);
  await page.click('text=Come in');
  await page.waitForSelector('[data-state="online"]');
  return page;
}

async function say(page, text) {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

/** What the list of messages shows, without the times. */
function shown(page) {
  return page.$$eval('#messages > li', (items) =>
    items.map((item) => {
      const parts = ['.author', '.text', '.file-name']
        .map((selector) => item.querySelector(selector))
        .filter((node) => node && node.checkVisibility())
        .map((node) => node.textContent);

      return parts.length > 0 ? parts.join(': ') : item.textContent;
    })
  );
}

/** Waits for a message that is not pending any more. */
const arrived = (page, text) =>
  page.waitForSelector(`#messages > li:not(.pending) >> text=${text}`);

test('people talk, type and send files, on desktops and phones', async () => {
  const url = await start().url();
  const ada = await visit(url, 'Ada');
  const grace = await visit(url, 'Grace', PHONE);

  await ada.waitForSelector('text=2 people here');
  await say(ada, 'Hello\n<b>Grace</b>');
  await arrived(grace, '<b>Grace</b>');
  await say(grace, 'See https://example.com/a?b');
  await arrived(ada, 'See');
  expect(await ada.getAttribute('.text a', 'href')).toBe(
    'https://example.com/a?b'
  );

  await grace.type('#text', 'H');
  await ada.waitForSelector('text=Grace is typing');

  const picture = await ada.screenshot();

  await ada.setInputFiles('#file', [
    { name: 'a.png', mimeType: 'image/png', buffer: picture },
    { name: 'b.bin', mimeType: '', buffer: Buffer.alloc(3_000_000, 1) }
  ]);
  await arrived(grace, 'b.bin');
  expect(
    await grace.$eval('.picture img', async (image) => {
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];
    })
  ).toEqual([1280, 800]);

  const [download] = await Promise.all([
    grace.waitForEvent('download'),
    grace.tap('.file[download="b.bin"]')
  ]);
  const saved = fs.readFileSync(await download.path());

  expect(download.suggestedFilename()).toBe('b.bin');
  expect(saved.equals(Buffer.alloc(3_000_000, 1))).toBe(true);
  expect(await shown(ada)).toEqual([
    'Grace came in',
    'Hello\n<b>Grace</b>',
    'Grace: See https://example.com/a?b',
    expect.stringMatching(/^a\.png\d+ KB$/),
    'b.bin3.0 MB'
  ]);
});

test('a phone reaches the rooms by its menu', async () => {
  const url = await start().url();
  const ada = await visit(url, 'Ada');
  const grace = await visit(url, 'Grace', PHONE);

  expect(await grace.isVisible('#drawer')).toBe(false);
  expect(
    await grace.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.scrollHeight
    ])
  ).toEqual([390, 844]);
  await grace.tap('#menu');
  await grace.waitForSelector('#drawer', { state: 'visible' });
  await grace.fill('[placeholder="Another room"]', 'garden');
  await grace.press('[placeholder="Another room"]', 'Enter');
  await grace.waitForSelector('#drawer', { state: 'hidden' });
  await grace.waitForSelector('text=Only you are here');
  await ada.waitForSelector('text=Grace left');

  await say(grace, 'Anybody?');
  await arrived(grace, 'Anybody?');
  await ada.click('[data-room="garden"]');
  await arrived(ada, 'Anybody?');
  expect(await shown(ada)).toEqual(['Grace: Anybody?']);
  expect(new URL(ada.url()).hash).toBe('#garden');
});

test('what is said while the server is away is said when it is back', async () => {
  const server = start();
  const url = await server.url();
  const ada = await visit(url, 'Ada');

  await say(ada, 'First');
  await arrived(ada, 'First');
  await server.stop();
  await ada.waitForSelector('[data-state="lost"]');
  await say(ada, 'Second');
  await ada.waitForSelector('.pending');

  await start(new URL(url).port).url();
  // Unless it has connected again by itself.
  await ada.evaluate(() => document.querySelector('#status button')?.click());
  await arrived(ada, 'Second');
  expect(await shown(ada)).toEqual(['First', 'Second']);
  await ada.waitForSelector('[data-state="online"]');
});

test('of two windows of one visitor the second takes over', async () => {
  const url = await start().url();
  const first = await visit(url, 'Ada');
  const secret = await first.evaluate(() => sessionStorage.secret);
  const second = await openPage(url);

  await second.evaluate((value) => (sessionStorage.secret = value), secret);
  await second.reload();
  await second.fill('#name', 'Ada');
  await second.click('text=Come in');
  await second.waitForSelector('[data-state="online"]');
  await first.waitForSelector('text=Open in another window');
  await first.click('text=Use this one');
  await first.waitForSelector('[data-state="online"]');
  await second.waitForSelector('text=Open in another window');
});
