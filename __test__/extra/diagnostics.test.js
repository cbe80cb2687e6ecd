'use strict';

const { AsyncLocalStorage } = require('async_hooks');
const diagnosticsChannel = require('diagnostics_channel');
const { once } = require('events');

const { oxws } = require('../support/implementations');
const { onRelease } = require('../support/resources');
const { dial, listen } = require('../support/connection');
const { describeEach } = require('../support/implementations');
const { ends, onceClosed, open } = require('./support/connections');

/** What a channel tells, from now until the test ends. */
function subscribe(name, tell = (message) => message) {
  const messages = [];
  const listener = (message) => messages.push(tell(message));

  diagnosticsChannel.subscribe(name, listener);
  onRelease(() => diagnosticsChannel.unsubscribe(name, listener));
  return messages;
}

describeEach(ends, 'diagnostics_channel', (row) => {
  test('tells what a WebSocket does, before its listeners', async () => {
    const { own, peer } = await open(row);
    const order = [];
    const of = (event) => (message) => {
      if (message.websocket !== own) return null;
      order.push(event);
      return message;
    };
    const events = ['message', 'sent', 'ping', 'pong', 'error', 'close'];
    const told = Object.fromEntries(
      events.map((event) => [
        event,
        subscribe(`oxws:websocket:${event}`, of(event))
      ])
    );
    const last = (event) => {
      const message = { ...told[event].filter(Boolean).at(-1) };

      delete message.websocket;
      return message;
    };

    for (const event of ['message', 'ping', 'pong', 'close']) {
      own.on(event, () => order.push(`'${event}'`));
    }

    peer.send('text');
    await once(own, 'message');
    expect(last('message')).toEqual({
      data: Buffer.from('text'),
      isBinary: false
    });
    own.send('answer');
    expect(last('sent')).toEqual({ data: 'answer', binary: false });
    peer.ping('a');
    await once(own, 'ping');
    expect(last('ping')).toEqual({ payload: Buffer.from('a') });
    peer.pong('b');
    await once(own, 'pong');
    expect(last('pong')).toEqual({ payload: Buffer.from('b') });

    const closed = onceClosed(own);

    peer.close(4000, 'bye');
    await closed;
    expect(last('close')).toEqual({ code: 4000, reason: Buffer.from('bye') });
    expect(told.error.filter(Boolean)).toEqual([]);
    expect(order).toEqual([
      'message',
      "'message'",
      'sent',
      'ping',
      "'ping'",
      'pong',
      "'pong'",
      'close',
      "'close'"
    ]);
  });

  test('traces the listeners of a message', async () => {
    const { own, peer } = await open(row);
    const tracing = diagnosticsChannel.tracingChannel('oxws:message');
    const storage = new AsyncLocalStorage();
    const order = [];
    const subscribers = {
      start: ({ websocket, data }) =>
        websocket === own && order.push(`start ${data}`),
      end: ({ websocket }) => websocket === own && order.push('end')
    };

    tracing.subscribe(subscribers);
    tracing.start.bindStore(storage, ({ data }) => String(data));
    onRelease(() => {
      tracing.unsubscribe(subscribers);
      tracing.start.unbindStore(storage);
    });
    own.on('message', () => order.push(`in ${storage.getStore()}`));
    peer.send('one');
    await once(own, 'message');
    peer.send('two');
    await once(own, 'message');
    expect(order).toEqual([
      'start one',
      'in one',
      'end',
      'start two',
      'in two',
      'end'
    ]);
    expect(storage.getStore()).toBeUndefined();
  });
});

const rows = ['native', 'adopted', 'TLS'].map((route) => ({
  name: route,
  route,
  WebSocket: oxws,
  WebSocketServer: oxws.WebSocketServer
}));

describeEach(rows, 'diagnostics_channel', (row) => {
  test('tells who comes, who is refused and what fails', async () => {
    const created = subscribe('oxws:websocket:created', (m) => m.websocket);
    const opened = subscribe('oxws:websocket:open');
    const errors = subscribe('oxws:websocket:error');
    const connections = subscribe('oxws:server:connection');
    const refused = subscribe('oxws:server:refused');
    const { wss, url } = await listen(row, {
      verifyClient: ({ req }) => req.url === '/',
      handleProtocols: () => 'chat'
    });
    const accepted = once(wss, 'connection');
    const client = dial(row, url, ['chat']);
    const [server, request] = (
      await Promise.all([accepted, once(client, 'open')])
    )[0];

    expect(created.length).toBe(2);
    expect(created.includes(client) && created.includes(server)).toBe(true);
    expect(
      opened.map(({ websocket, ...values }) => [websocket === client, values])
    ).toEqual(
      [false, true].map((isClient) => [
        isClient,
        { protocol: 'chat', extensions: '' }
      ])
    );
    expect(connections.length).toBe(1);
    expect(connections[0].server === wss).toBe(true);
    expect(connections[0].websocket === server).toBe(true);
    expect(connections[0].request === request).toBe(true);

    const other = dial(row, `${url}other`);
    const [err] = await once(other, 'error');

    expect(refused.map((each) => [each.request.url, each.code])).toEqual([
      ['/other', 401]
    ]);
    expect(errors.length).toBe(1);
    expect(errors[0].websocket === other && errors[0].error === err).toBe(true);
  });
});
