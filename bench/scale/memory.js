'use strict';

const fs = require('fs');

const { resident } = require('../usage');

const PAGE = 4096;

/** What a connection has in the kernel, by the names of its caches. */
const CACHES =
  /^(TCP|sock_inode_cache|filp|dentry|eventpoll_epi|ep_head|tw_sock_TCP|skbuff_\w+) /;

const read = (file) => fs.readFileSync(`/proc/${file}`, 'latin1');

/** Bytes, by the name of a line of /proc/meminfo. */
function meminfo() {
  return Object.fromEntries(
    [...read('meminfo').matchAll(/^(\w+): +(\d+) kB$/gm)].map(
      ([, name, kibibytes]) => [name, Number(kibibytes) * 1024]
    )
  );
}

/** Of TCP, by name; `mem` is in pages. */
function sockstat() {
  const [line] = /^TCP: .*$/m.exec(read('net/sockstat'));

  return Object.fromEntries(
    [...line.matchAll(/(\w+) (\d+)/g)].map(([, name, value]) => [
      name,
      Number(value)
    ])
  );
}

/** Bytes in the caches of the kernel, for who may read that. */
function slabs() {
  try {
    const lines = read('slabinfo').split('\n');

    return Object.fromEntries(
      lines
        .filter((line) => CACHES.test(line))
        .map((line) => line.split(/\s+/))
        .map(([name, , objects, size]) => [name, objects * size])
    );
  } catch {
    return {};
  }
}

/** Bytes of a process that no other one shares, and that it has written to. */
function privateDirty(pid) {
  const text = read(`${pid}/smaps_rollup`);

  return Number(/^Private_Dirty: +(\d+) kB$/m.exec(text)[1]) * 1024;
}

const sum = (numbers) => numbers.reduce((all, number) => all + number, 0);

/**
 * @param {number[]} pids The servers
 * @returns {Object} Bytes that they have, and that the kernel has
 */
function takeMemory(pids) {
  const { MemAvailable, PageTables, Slab, SUnreclaim } = meminfo();
  const { mem } = sockstat();

  return {
    resident: sum(pids.map(resident)),
    dirty: sum(pids.map(privateDirty)),
    slab: Slab,
    unreclaimable: SUnreclaim,
    buffers: mem * PAGE,
    pageTables: PageTables,
    available: MemAvailable,
    slabs: slabs()
  };
}

/** @returns {number} Descriptors that a process can have */
function descriptors() {
  return Number(/^Max open files +(\d+)/m.exec(read('self/limits'))[1]);
}

/** @returns {number} The share of the memory that can still be had */
function availableShare() {
  const { MemAvailable, MemTotal } = meminfo();

  return MemAvailable / MemTotal;
}

module.exports = { availableShare, descriptors, takeMemory };
