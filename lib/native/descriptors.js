'use strict';

const { platform, versions } = process;
const isNodeOnUnix =
  platform !== 'win32' &&
  versions.bun === undefined &&
  versions.deno === undefined;

/**
 * Whether sockets of Node's have descriptors that the engine can take: not on
 * Windows, in Bun or in Deno, and not if the environment says so.
 *
 * @return {boolean}
 */
function hasDescriptors() {
  return isNodeOnUnix && process.env.OXWS_ADOPT !== '0';
}

module.exports = { hasDescriptors };
