'use strict';

const { createHash } = require('crypto');

/** A server takes lines of 4096 bytes, and those of others may be longer. */
const MAX_LENGTH = 512;

/** One that can be told apart from all others, and from what is encoded. */
const EMPTY = '%';

/** Tokens between dots, none of them a wildcard. */
const PREFIX = /^[^\s.*>]+(\.[^\s.*>]+)*$/;

/**
 * The subject of a topic: one token after the prefix, in which what a subject
 * cannot have is encoded as in URLs.
 *
 * @param {string} prefix
 * @param {string} topic
 * @return {string}
 */
function subjectOf(prefix, topic) {
  const token = encodeURIComponent(topic).replace(
    /[.*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  );

  return `${prefix}.${token.length > MAX_LENGTH ? hashOf(topic) : token || EMPTY}`;
}

/** Of what is too long; it begins as no token that is encoded. */
function hashOf(topic) {
  return `%%${createHash('sha256').update(topic).digest('hex')}`;
}

/**
 * @param {any} prefix
 * @return {string}
 * @throws {TypeError} If no subject begins like that
 */
function checkPrefix(prefix) {
  if (typeof prefix === 'string' && PREFIX.test(prefix)) return prefix;

  throw new TypeError(
    'The option "prefix" must be a subject without wildcards'
  );
}

module.exports = { checkPrefix, subjectOf };
