'use strict';

const fs = require('fs');
const path = require('path');

const { version: versionOfWs } = require('ws/package.json');

const manifest = require('../../package.json');

const root = path.join(__dirname, '..', '..');
const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');
const minor = (version) => version.split('.', 2).join('.');

describe('the version', () => {
  const { version } = manifest;

  test('begins as that of the ws that is implemented', () => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(minor(version)).toBe(minor(versionOfWs));
    expect(manifest.devDependencies.ws).toBe(versionOfWs);
  });

  test('is the same everywhere', () => {
    expect(read('Cargo.toml')).toContain(
      `name = "oxws"\nversion = "${version}"`
    );
    expect(read('CHANGELOG.md')).toContain(`\n## ${version} - `);
  });

  test('is what the documents have one ask for', () => {
    for (const name of ['README.md', 'docs/migrating.md']) {
      const ranges = read(name).match(/npm:oxws@[^"\s]+\d/g);

      expect(new Set(ranges)).toEqual(
        new Set([`npm:oxws@^${minor(version)}.0`])
      );
    }
    expect(read('README.md')).toContain(
      `${minor(version)}.x is ws ${versionOfWs}.`
    );
  });
});
