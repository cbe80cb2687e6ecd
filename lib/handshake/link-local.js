'use strict';

const os = require('os');

const [major, minor] = (process.versions.uv ?? '0.0').split('.').map(Number);

/** Whether libuv, and so Node, finds a zone for an address that names none. */
const findsZone =
  process.platform !== 'win32' && (major > 1 || (major === 1 && minor >= 47));

/** What libuv takes for a link-local address. */
const LINK_LOCAL = /^fe80:/i;

/**
 * The address to dial where Node would dial this one: a link-local address
 * leads nowhere without a zone, and gets that of the first interface which has
 * such an address itself.
 *
 * @param {string} address An IP address
 * @return {string}
 */
function withZone(address) {
  if (!findsZone || !LINK_LOCAL.test(address) || address.includes('%')) {
    return address;
  }

  const found = Object.entries(os.networkInterfaces()).find(([, addresses]) =>
    addresses?.some((own) => LINK_LOCAL.test(own.address))
  );

  return found ? `${address}%${found[0]}` : address;
}

module.exports = withZone;
