'use strict';

// A file and what is to be known of it, in one binary message: the length of
// the header in two bytes, the header as JSON, the file.

function pack(header, bytes) {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(2);

  length.writeUInt16BE(json.length);
  return Buffer.concat([length, json, bytes]);
}

/** @throws {Error} If the message is no envelope */
function unpack(message) {
  const end = 2 + message.readUInt16BE(0);

  return {
    header: JSON.parse(message.toString('utf8', 2, end)),
    bytes: message.subarray(end)
  };
}

module.exports = { pack, unpack };
