'use strict';

const http = require('http');
const https = require('https');
const net = require('net');
const tls = require('tls');

/**
 * Makes the request with Node's http, or with what a tool put in its place.
 *
 * @param {Object} settings The options of `http.request()`
 * @param {boolean} isSecure
 * @return {http.ClientRequest}
 */
function create(settings, isSecure) {
  settings.createConnection ||= isSecure ? connectTls : connectNet;

  return isSecure ? https.request(settings) : http.request(settings);
}

function connectNet(options) {
  options.path = options.socketPath;

  return net.connect(options);
}

function connectTls(options) {
  options.path = undefined;

  if (!options.servername && options.servername !== '') {
    options.servername = net.isIP(options.host) ? '' : options.host;
  }

  return tls.connect(options);
}

module.exports = { create };
