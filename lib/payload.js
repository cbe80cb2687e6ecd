'use strict';

// As with ws: some test environments have no Blob, or get one later.
const hasBlob = typeof Blob !== 'undefined';
const BINARY_TYPES = ['nodebuffer', 'arraybuffer', 'fragments'];

if (hasBlob) BINARY_TYPES.push('blob');

const EMPTY = Buffer.alloc(0);
const FastBuffer = Buffer[Symbol.species];

/**
 * Tells whether a value is a `Blob` or `File`, of whatever realm or library.
 *
 * @param {*} value
 * @return {boolean}
 */
function isBlob(value) {
  if (!hasBlob || typeof value !== 'object' || value === null) return false;

  const tag = value[Symbol.toStringTag];

  return (
    (tag === 'Blob' || tag === 'File') &&
    typeof value.arrayBuffer === 'function' &&
    typeof value.stream === 'function' &&
    typeof value.type === 'string'
  );
}

/**
 * The bytes of a value, without a copy where the value holds bytes already.
 *
 * @param {*} value Whatever `Buffer.from()` takes, or a view of memory
 * @return {Buffer}
 * @throws {TypeError} As `Buffer.from()` does
 */
function toBuffer(value) {
  // What only looks like a Buffer is copied, or refused.
  if (!ArrayBuffer.isView(value)) return Buffer.from(value);
  if (Buffer.isBuffer(value)) return value;

  return new FastBuffer(value.buffer, value.byteOffset, value.byteLength);
}

/**
 * The number of bytes of a value that can be sent.
 *
 * @param {(string|Uint8Array|Blob)} value
 * @return {number}
 */
function byteLength(value) {
  if (typeof value === 'string') return Buffer.byteLength(value);

  return 'byteLength' in value ? value.byteLength : value.size;
}

/**
 * A received binary message as `binaryType` wants it.
 *
 * @param {string} binaryType One of `BINARY_TYPES`
 * @param {Buffer} data The message
 * @param {number[]} [lengths] Lengths of its non-empty fragments, if it came
 *     in several
 * @return {(Buffer|ArrayBuffer|Buffer[]|Blob)}
 */
function fromBinary(binaryType, data, lengths) {
  switch (binaryType) {
    case 'arraybuffer':
      return toArrayBuffer(data);
    case 'fragments':
      return toFragments(data, lengths);
    case 'blob':
      return new Blob([data]);
    default:
      return data;
  }
}

function toArrayBuffer({ buffer, byteOffset, byteLength }) {
  if (byteLength === buffer.byteLength) return buffer;

  return buffer.slice(byteOffset, byteOffset + byteLength);
}

function toFragments(data, lengths) {
  if (lengths === undefined) return data.length === 0 ? [] : [data];

  let end = 0;

  return lengths.map((length) => data.subarray(end, (end += length)));
}

module.exports = {
  BINARY_TYPES,
  EMPTY,
  byteLength,
  fromBinary,
  isBlob,
  toBuffer
};
