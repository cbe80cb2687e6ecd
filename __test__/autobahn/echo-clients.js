'use strict';

// The clients that the cases are run against: one connection a case, on which
// each message is answered with itself. At the end the reports are asked for.
// `node echo-clients.js '{ "library": …, "route": …, "options": { … },
//   "url": …, "concurrency": … }'`

const http = require('http');
const http2 = require('http2');
const net = require('net');
const path = require('path');
const { once } = require('events');
const { Duplex } = require('stream');

const { bridgeToClient, maxSessionMemory } = require('./http2-bridges');

const { library, route, options, url, concurrency } = JSON.parse(
  process.argv[2]
);
const { WebSocket } = require(library);

/** The options that put a client on a route; HTTP/2 is one of its own. */
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

/** Answers with who opens a WebSocket to a URL, and with who ends it all. */
async function prepare() {
  if (route !== 'http2') {
    return {
      connect: (target) =>
        new WebSocket(target, { ...routes[route], ...options }),
      end() {}
    };
  }

  const { connectHttp2 } = require(path.join(library, 'lib/extra'));
  const bridge = bridgeToClient(url).listen(0, '127.0.0.1');

  await once(bridge, 'listening');

  const session = http2.connect(`http://127.0.0.1:${bridge.address().port}`, {
    maxSessionMemory
  });

  return {
    connect: (target) => connectHttp2(session, target, options),
    end() {
      session.close();
      bridge.close();
    }
  };
}

/** One connection from its opening to its end; resolves its last message. */
function converse(connect, resource, onMessage = () => {}) {
  return new Promise((resolve) => {
    const websocket = connect(url + resource);
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
  const { connect, end } = await prepare();
  const count = Number(await converse(connect, '/getCaseCount'));

  if (!(count > 0)) throw new Error('The suite did not say how many cases');

  let number = 0;

  async function runCases() {
    while (number < count) {
      number += 1;
      await converse(connect, `/runCase?case=${number}&agent=client`, echo);
    }
  }

  await Promise.all(Array.from({ length: concurrency }, runCases));
  await converse(connect, '/updateReports?agent=client');
  end();
}

main();
