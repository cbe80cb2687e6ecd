'use strict';

// `node --require redirect.js`: whoever loads 'ws' gets the package that the
// environment variable WS_PACKAGE names, as the root of this repository sees
// it. The last line of the output says which implementations ran.

const Module = require('module');
const path = require('path');
const { pathToFileURL } = require('url');

const name = process.env.WS_PACKAGE;
const root = path.join(__dirname, '..', '..', '..', 'package.json');
const target = Module.createRequire(root).resolve(name);
const parentURL = pathToFileURL(root).href;
const resolve = Module._resolveFilename;

Module._resolveFilename = function (request, ...rest) {
  return request === 'ws' ? target : resolve.call(this, request, ...rest);
};

if (Module.registerHooks) {
  Module.registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'ws' && context.conditions.includes('import')
        ? next(name, { ...context, parentURL })
        : next(specifier, context)
  });
} else {
  // Node.js 20
  Module.register('./redirect-imports.mjs', {
    parentURL: pathToFileURL(__filename),
    data: { name, root: parentURL }
  });
}

process.on('exit', () => {
  const expected = path.join(
    path.dirname(target),
    'lib',
    'websocket-server.js'
  );
  const loaded = Object.keys(require.cache).filter(
    (file) => path.basename(file) === path.basename(expected)
  );

  console.log(loaded.map((file) => (file === expected ? name : file)).join());
});
