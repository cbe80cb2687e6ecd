'use strict';

// A client of others that speaks WebSocket over HTTP/2, as browsers do.

const { once } = require('events');
const { Agent, WebSocket } = require('undici');

const { createSecureServer, serve } = require('../extra/support/http2');
const { onRelease } = require('../support/resources');

test('undici exchanges messages over HTTP/2', async () => {
  const { wss, url } = await serve(
    { perMessageDeflate: { threshold: 0 }, handleProtocols: () => 'chat' },
    createSecureServer()
  );
  const agent = new Agent({
    allowH2: true,
    connect: { rejectUnauthorized: false }
  });
  const accepted = once(wss, 'connection');
  const client = new WebSocket(`${url.replace('http', 'ws')}/path`, {
    protocols: ['chat'],
    dispatcher: agent
  });
  const messages = [];
  const closed = new Promise((resolve) => {
    client.addEventListener('close', ({ code, reason, wasClean }) =>
      resolve({ code, reason, wasClean })
    );
  });

  onRelease(() => agent.destroy());
  client.addEventListener('message', ({ data }) => messages.push(data));

  const [server, request] = await accepted;
  const serverClosed = once(server, 'close');

  expect([request.httpVersion, request.url]).toEqual(['2.0', '/path']);
  server.on('message', (data, binary) => {
    server.send(data, { binary });
    if (data.length > 1000) server.close(4000, 'enough');
  });
  if (client.readyState !== WebSocket.OPEN) await once(client, 'open');
  expect(client.protocol).toBe('chat');
  client.send('short');
  client.send('long'.repeat(50_000));
  expect(await closed).toEqual({
    code: 4000,
    reason: 'enough',
    wasClean: true
  });
  expect(messages).toEqual(['short', 'long'.repeat(50_000)]);
  expect((await serverClosed)[0]).toBe(4000);
});
