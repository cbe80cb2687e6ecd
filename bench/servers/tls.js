'use strict';

/** Who the servers are: the key and certificate of the tests. */
const fs = require('fs');
const path = require('path');

const directory = path.join(__dirname, '../../__test__/support/tls');

const files = {
  key: path.join(directory, 'key.pem'),
  cert: path.join(directory, 'certificate.pem')
};

function read() {
  return { key: fs.readFileSync(files.key), cert: fs.readFileSync(files.cert) };
}

module.exports = { files, read };
