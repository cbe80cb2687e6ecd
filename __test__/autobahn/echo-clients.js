'use strict';

// The clients that the cases are run against: one connection a case, on which
// each message is answered with itself. At the end the reports are asked for.
// `node echo-clients.js '{ "library": …, "route": …, "options": { … },
//   "url": …, "concurrency": … }'`

const http = require('http');
const net = require('net');
const { Duplex } = require('stream');

const { library, route, options, url, concurrency } = JSON.parse(
  process.argv[2]
);
const { WebSocket } = require(library);

/** The options that put a client on a route. */
const routes = {
  native: {},
  adopted: { agent: new http.Agent() },
  stream: {
    createConnection(target) {
      const socket = net.connect(target);

      return Duplex.from({ readable: socket, writable: socket });
    }
  }
};

/** One connection from its opening to its end; resolves its last message. */
function converse(path, onMessage = () => {}) {
  return new Promise((resolve) => {
    const websocket = new WebSocket(url + path, {
      ...routes[route],
      ...options
    });
    let last;

    websocket.on('error', () => {});
    websocket.on('message', (data, isBinary) => {
      last = data;
      onMessage(websocket, data, isBinary);
    });
    websocket.on('close', () => resolve(last));
  });
}

function echo(websocket, data, isBinary) {
  websocket.send(data, { binary: isBinary });
}

async function main() {
  const count = Number(await converse('/getCaseCount'));

  if (!(count > 0)) throw new Error('The suite did not say how many cases');

  let number = 0;

  async function runCases() {
    while (number < count) {
      number += 1;
      await converse(`/runCase?case=${number}&agent=client`, echo);
    }
  }

  await Promise.all(Array.from({ length: concurrency }, runCases));
  await converse('/updateReports?agent=client');
}

main();
