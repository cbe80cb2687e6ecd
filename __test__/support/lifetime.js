'use strict';

/**
 * A server and a client from beginning to end: calls `here(place)` wherever
 * code of the user's runs. Its source text is for child processes.
 */
function lifetime(WebSocket, here) {
  const options = {
    port: 0,
    verifyClient() {
      here('verifyClient');
      return true;
    },
    handleProtocols() {
      here('handleProtocols');
      return 'chat';
    }
  };
  const wss = new WebSocket.Server(options, () => {
    here('listening');

    const client = new WebSocket(
      `ws://127.0.0.1:${wss.address().port}`,
      'chat',
      { generateMask: () => here('mask') }
    );

    client.on('upgrade', () => here('upgrade'));
    client.on('open', () => {
      here('open');
      client.ping();
      client.send('x', () => here('sent'));
    });
    client.on('message', () => {
      process.nextTick(here, 'nextTick');
      Promise.resolve('microtask').then(here);
      here('client message');
      client.close();
    });
    client.on('pong', () => here('pong'));
    client.on('close', () => {
      here('client close');
      wss.close(() => here('closed'));
    });
  });

  wss.on('headers', () => here('headers'));
  wss.on('connection', (server) => {
    here('connection');
    server.on('ping', () => here('ping'));
    server.on('message', () => {
      here('server message');
      server.send('y');
    });
    server.on('close', () => here('server close'));
  });
}

const places = [
  'listening',
  'verifyClient',
  'handleProtocols',
  'headers',
  'connection',
  'upgrade',
  'open',
  'server message',
  'client message',
  'ping',
  'pong',
  'sent',
  'mask',
  'nextTick',
  'microtask',
  'server close',
  'client close',
  'closed'
];

module.exports = { lifetime, places };
