'use strict';

const { once } = require('events');

const { connect } = require('../support/connection');
const { describeEach, routedPairs } = require('../support/implementations');

// Jest runs this in a context of its own, whose classes are not Node's.
describeEach(routedPairs, 'messages of the handshake', (pair) => {
  test("have arrays and objects of Node's", async () => {
    let upgrade;
    const { request } = await connect(pair, {
      onClient: (client) => (upgrade = once(client, 'upgrade'))
    });
    const [response] = await upgrade;

    for (const message of [request, response]) {
      expect(Array.isArray(message.rawHeaders)).toBe(true);
      expect(message.rawHeaders instanceof Array).toBe(false);
      expect(message.headers instanceof Object).toBe(false);
      expect(message.headersDistinct instanceof Object).toBe(false);
    }
  });
});
