'use strict';

const { once } = require('events');

const { dial, listen } = require('../support/connection');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');
const { messages, allArrived } = require('./support/matrix');

/** A WebSocketServer reads its options anew for every connection. */
describeEach(routedImplementations, 'an option that changes', (row) => {
  const { lib, route } = row;
  const options = { perMessageDeflate: false };

  /** A server, and a function that connects a client to it. */
  async function serve(serverOptions) {
    const { wss, url } = await listen({ ...lib, route }, serverOptions);

    return {
      wss,
      async join(path = '', protocols = []) {
        const connected = once(wss, 'connection');
        const client = dial({ ...lib, route }, url + path, protocols, options);
        const [[server]] = await Promise.all([connected, once(client, 'open')]);

        return { server, client };
      },
      /** The error of a client that is not let in. */
      async refusal(path = '') {
        const client = dial({ ...lib, route }, url + path, [], options);
        const err = await new Promise((resolve) => client.on('error', resolve));

        return err.message;
      }
    };
  }

  test('handleProtocols', async () => {
    const { wss, join } = await serve();
    const chosen = async () => {
      const { client } = await join('', ['one', 'two', 'three']);

      return client.protocol;
    };

    expect(await chosen()).toBe('one');
    wss.options.handleProtocols = (protocols, request) =>
      [...protocols][request.url.length];
    expect(await chosen()).toBe('two');
    wss.options.handleProtocols = () => 'three';
    expect(await chosen()).toBe('three');
    wss.options.handleProtocols = null;
    expect(await chosen()).toBe('one');
  });

  test('path', async () => {
    const { wss, join, refusal } = await serve();

    await join('anywhere');
    wss.options.path = '/there';
    await join('there');
    expect(await refusal('elsewhere')).toBe('Unexpected server response: 400');
  });

  test('verifyClient', async () => {
    const { wss, join, refusal } = await serve();

    await join();
    wss.options.verifyClient = () => false;
    expect(await refusal()).toBe('Unexpected server response: 401');
    wss.options.verifyClient = (info, decide) => decide(false, 418);
    expect(await refusal()).toBe('Unexpected server response: 418');
    wss.options.verifyClient = undefined;
    await join();
  });

  test('maxPayload', async () => {
    const { wss, join } = await serve();
    const before = await join();

    wss.options.maxPayload = 5;

    const after = await join();
    const errors = [];

    for (const { server } of [before, after]) {
      server.on('error', (err) => errors.push(err.code));
    }

    const arrival = messages(before.server, 1);
    const closed = once(after.client, 'close');

    before.client.send('123456');
    after.client.send('123456');
    await arrival;
    expect((await closed)[0]).toBe(1009);
    expect(errors).toEqual(['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']);
  });

  test('autoPong', async () => {
    const { wss, join } = await serve();
    const before = await join();

    wss.options.autoPong = false;

    const after = await join();
    const pongs = [];

    for (const { client, server } of [before, after]) {
      client.on('pong', (data) => pongs.push(String(data)));
      client.ping('ping');
      await allArrived(client, server);
      await allArrived(server, client);
    }
    expect(pongs).toEqual(['ping', 'arrived', 'arrived']);
  });

  test('WebSocket', async () => {
    const { wss, join } = await serve();

    class Mine extends lib.WebSocket {
      constructor(...args) {
        super(...args);
        this.args = args;
      }

      greet() {
        this.send('from mine');
      }
    }

    wss.options.WebSocket = Mine;

    const { server, client } = await join();

    expect(server).toBeInstanceOf(Mine);
    expect(server.args[0]).toBe(null);
    expect(server.args[1]).toBe(undefined);
    expect(server.args[2]).toBe(wss.options);

    const arrival = messages(client, 1);

    server.greet();
    expect(String((await arrival)[0][0])).toBe('from mine');
  });
});
