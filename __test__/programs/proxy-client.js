'use strict';

// A client in the manner of wscat: `node proxy-client.js PROXY URL LINE...`
// says the lines through a CONNECT proxy and prints the answers.

const { HttpsProxyAgent } = require('https-proxy-agent');
const WebSocket = require('ws');

const [, , proxy, url, ...lines] = process.argv;
const client = new WebSocket(url, ['chat'], {
  agent: new HttpsProxyAgent(proxy),
  headers: { 'User-Agent': 'proxy-client' },
  rejectUnauthorized: false
});

client.on('open', () => {
  console.log(`connected, ${client.protocol}`);
  client.send(lines.shift());
});
client.on('message', (data) => {
  console.log(`< ${data}`);
  if (lines.length > 0) client.send(lines.shift());
  else client.close(1000);
});
client.on('close', (code) => console.log(`disconnected, ${code}`));
client.on('error', (err) => console.log(`error, ${err.message}`));
