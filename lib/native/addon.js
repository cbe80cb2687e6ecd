'use strict';

// Loads the addon: one built in the checkout first, else the one that the
// platform's package brings. Which C library a Linux has is not asked (the
// report that knows takes 40 ms): an addon for the other one does not load.

const { createRequire } = require('module');

// A bundler would look into a plain `require()`, and not find what only the
// machine that runs the bundle has.
const requireHere = createRequire(__filename);

const ABIS = { linux: ['-gnu', '-musl'], darwin: [''], win32: ['-msvc'] };
const ARCHITECTURES = ['x64', 'arm64'];

const { platform, arch } = process;

/** What kept the addon of each target from being loaded. */
const failures = new Map();

/**
 * The addon of the first copy of this version that the realm has loaded. Several
 * are installed where packages that are not hoisted bring one each, or where one
 * is called `ws`: with an engine each, polled one after the other, what one sends
 * would be heard by the next in the same turn of the event loop, one too early.
 */
function loadOnce() {
  const place = Symbol.for(`oxws.addon ${version()}`);
  const addon = globalThis[place] ?? load();

  // It may be frozen: then each copy has its own.
  Reflect.defineProperty(globalThis, place, { value: addon });

  return addon;
}

/** That of this package; where it is bundled nothing tells. */
function version() {
  try {
    const { name, version } = requireHere('../../package.json');

    if (name === 'oxws') return version;
  } catch {
    // There is none.
  }

  return __filename;
}

function load() {
  for (const abi of ABIS[platform] || ['']) {
    const target = `${platform}-${arch}${abi}`;

    for (const id of [`../../oxws.${target}.node`, packageFor(target)]) {
      try {
        return requireHere(id);
      } catch (err) {
        if (err.code !== 'MODULE_NOT_FOUND') failures.set(target, err);
      }
    }
  }
  throw failure();
}

function packageFor(target) {
  return `@oxws/binding-${target}`;
}

/** The Error that says what is missing here, and what to do. */
function failure() {
  const target = `${platform}-${arch}${abi()}`;
  const cause = failures.get(target);
  const isBuilt = platform in ABIS && ARCHITECTURES.includes(arch);
  const what = `oxws could not load its addon for ${target}: `;

  if (cause?.code === 'ERR_DLOPEN_DISABLED') {
    return new Error(
      `${what}Node.js was told to load none. Start it with --allow-addons ` +
        'where it is started with --permission (and with --allow-net where ' +
        'there is that), and without --no-addons; or use ws, which can do ' +
        'without an addon.',
      { cause }
    );
  }
  if (cause !== undefined) return new Error(what + cause.message, { cause });

  return new Error(
    isBuilt
      ? `${what}the optional dependency "${packageFor(target)}" is not ` +
          'installed. Install again, on this platform, without ' +
          '--omit=optional; if that does not help, delete node_modules and the ' +
          'lock file first, which another platform may have written. In a ' +
          'checkout "npm run build" builds it.'
      : `${what}there is no package with one. Where Rust is installed "npm ` +
          'run build" in a checkout builds it.'
  );
}

function abi() {
  const [only, other] = ABIS[platform] || [''];

  if (other === undefined) return only;

  const { header } = /** @type {any} */ (process.report.getReport());
  return header.glibcVersionRuntime === undefined ? other : only;
}

module.exports = loadOnce();
