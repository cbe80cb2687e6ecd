'use strict';

const os = require('os');

/**
 * A link-local address of this machine, without its zone. Where no interface has
 * one, there is no zone to be found for any.
 */
function linkLocalAddress() {
  const own = Object.values(os.networkInterfaces())
    .flat()
    .find(({ address }) => address.startsWith('fe80:'));

  return own?.address ?? 'fe80::1';
}

module.exports = { linkLocalAddress };
