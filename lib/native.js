'use strict';

// Loads the addon: one built in the checkout first, else the one that the
// platform's package brings. Which C library a Linux has is not asked (the
// report that knows takes 40 ms): an addon for the other one does not load.

const { createRequire } = require('module');

// A bundler would look into a plain `require()`, and not find what only the
// machine that runs the bundle has.
const requireHere = createRequire(__filename);

const ABIS = { linux: ['-gnu', '-musl'], win32: ['-msvc'] };

function load() {
  const { platform, arch } = process;
  const triples = (ABIS[platform] || ['']).map(
    (abi) => `${platform}-${arch}${abi}`
  );
  let cause;

  for (const triple of triples) {
    for (const id of [`../oxws.${triple}.node`, `@oxws/binding-${triple}`]) {
      try {
        return requireHere(id);
      } catch (err) {
        if (err.code !== 'MODULE_NOT_FOUND') cause = err;
      }
    }
  }

  const packages = triples.map((triple) => `"@oxws/binding-${triple}"`);
  const message =
    `oxws could not load its addon for ${platform}-${arch}. It comes with the ` +
    `optional dependency ${packages.join(' or ')}: install again without ` +
    '--omit=optional, and without a lock file that another platform wrote. ' +
    'In a checkout "npm run build" builds it.';

  throw new Error(message, cause && { cause });
}

module.exports = load();
