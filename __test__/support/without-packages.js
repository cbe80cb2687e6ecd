'use strict';

// For `--require`: as if only what is here were installed.

const Module = require('module');

const { _resolveFilename: resolve } = Module;

Module._resolveFilename = function (name, ...rest) {
  const isPackage = /^(@[\w-]+\/)?[\w-]+$/.test(name);

  if (isPackage && name !== 'oxws' && !Module.isBuiltin(name)) {
    throw Object.assign(new Error(`Cannot find module '${name}'`), {
      code: 'MODULE_NOT_FOUND'
    });
  }

  return resolve.call(this, name, ...rest);
};
