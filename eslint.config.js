'use strict';

const js = require('@eslint/js');
const globals = require('globals');

const globalsOfWs = [
  'Blob',
  'Buffer',
  'clearTimeout',
  'process',
  'setImmediate',
  'setTimeout'
];

module.exports = [
  { ignores: ['target/', 'npm/'] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: { globals: globals.node },
    rules: {
      'array-callback-return': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-constructor-return': 'error',
      'no-self-compare': 'error',
      'no-template-curly-in-string': 'error',
      'no-unused-expressions': 'error',
      'no-useless-return': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'prefer-rest-params': 'error',
      'prefer-spread': 'error',
      strict: ['error', 'global']
    }
  },
  { files: ['**/*.js'], languageOptions: { sourceType: 'commonjs' } },
  {
    // Programs, and test environments above all, replace what is global or leave
    // it out: what ws does not take from there, we do not either.
    files: ['lib/**'],
    ignores: ['lib/backplanes/**', 'lib/extra/**'],
    languageOptions: {
      globals: Object.fromEntries(
        Object.keys(globals.nodeBuiltin).map((name) => [
          name,
          globalsOfWs.includes(name) ? 'readonly' : 'off'
        ])
      )
    }
  },
  { files: ['__test__/**'], languageOptions: { globals: globals.jest } },
  {
    files: ['__test__/system/**'],
    languageOptions: { globals: globals.browser }
  },
  {
    files: ['examples/*/public/**'],
    languageOptions: { globals: globals.browser, sourceType: 'module' }
  }
];
