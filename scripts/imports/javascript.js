'use strict';

const fs = require('fs');
const path = require('path');

/**
 * What the files of a folder require from each other.
 *
 * @param {string} root
 * @return {Array<{from: string, to: string, line: number}>} Paths in `root`
 */
function requires(root) {
  const files = fs
    .readdirSync(root, { recursive: true })
    .filter((name) => name.endsWith('.js'));
  const imports = [];

  for (const from of files) {
    const code = fs.readFileSync(path.join(root, from), 'utf8');

    for (const found of code.matchAll(/\brequire\('(\.[^']*)'\)/g)) {
      const base = path.join(path.dirname(from), found[1]);
      const to = files.find((file) => file === base || file === `${base}.js`);
      const line = code.slice(0, found.index).split('\n').length;

      if (to !== undefined) imports.push({ from, to, line });
    }
  }

  return imports;
}

module.exports = { requires };
