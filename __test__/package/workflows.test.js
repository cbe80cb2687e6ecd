'use strict';

const fs = require('fs');
const path = require('path');

const { napi, scripts } = require('../../package.json');
const { root } = require('../support/child');

const directory = path.join(root, '.github', 'workflows');
const read = (name) => fs.readFileSync(path.join(directory, name), 'utf8');

test('a release builds and tries the addon of every target', () => {
  const [, build, trial] = read('release.yml').split(/^ {2}(?:build|try):$/m);

  for (const job of [build, trial]) {
    const targets = [...job.matchAll(/\btarget: ([\w-]+)/g)];

    expect(targets.map(([, target]) => target)).toEqual(napi.targets);
  }
});

test.each(fs.readdirSync(directory))('%s runs what there is', (name) => {
  const text = read(name);

  for (const [, script] of text.matchAll(/npm run ([\w:-]+)/g)) {
    expect(Object.keys(scripts)).toContain(script);
  }
  for (const [file] of text.matchAll(
    /(?:examples|__test__|\.ci)\/[\w/.-]*\w/g
  )) {
    const found = [file, `${file}.test.js`].filter((each) =>
      fs.existsSync(path.join(root, each))
    );

    expect([file, found.length]).toEqual([file, 1]);
  }
});

test.each(fs.readdirSync(directory))('%s passes options to npm', (name) => {
  const text = read(name);

  // PowerShell would keep "--" for itself.
  if (/npm run [\w:-]+ -- /.test(text)) {
    expect(text).toMatch(/^defaults:\n {2}run:\n {4}shell: bash$/m);
  }
});
