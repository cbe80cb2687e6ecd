'use strict';

const { dial } = require('../support/connection');
const { describeEach, implementations } = require('../support/implementations');
const { trackWebSocket } = require('../support/resources');
const { thrown } = require('../support/trace');

/** Nothing needs to listen there: these clients end before they connect. */
const URL_OF_NOBODY = 'ws://127.0.0.1:1/';

describeEach(implementations, 'the address', ({ lib: WebSocket }) => {
  const protocolError =
    'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", ' +
    'or "ws+unix:"';

  test.each([
    ['', 'Invalid URL: '],
    ['foo', 'Invalid URL: foo'],
    ['/path', 'Invalid URL: /path'],
    ['ws://', 'Invalid URL: ws://'],
    ['ws://host:99999', 'Invalid URL: ws://host:99999'],
    [undefined, 'Invalid URL: undefined'],
    [{}, 'Invalid URL: [object Object]'],
    ['ftp://host', protocolError],
    ['mailto:someone@example.com', protocolError],
    ['file:///tmp/socket', protocolError],
    [new URL('blob:ws://host'), protocolError],
    ['ws+unix:', "The URL's pathname is empty"],
    ['ws://host/#part', 'The URL contains a fragment identifier'],
    ['https://host/#part', 'The URL contains a fragment identifier'],
    ['ws+unix:/tmp/socket:/#part', 'The URL contains a fragment identifier']
  ])('%p is refused at once', (address, message) => {
    expect(thrown(() => new WebSocket(address))).toMatchObject({
      class: 'SyntaxError',
      message
    });
    expect(() => new WebSocket(address)).toThrow(SyntaxError);
  });

  test('an empty fragment is no fragment', () => {
    const websocket = dial({ WebSocket }, `${URL_OF_NOBODY}#`);

    expect(websocket.readyState).toBe(0);
  });

  test.each([
    ['ws://127.0.0.1:1', 'ws://127.0.0.1:1/'],
    ['ws://127.0.0.1:80/', 'ws://127.0.0.1/'],
    ['WS://LOCALHOST:1/a b?c=%20', 'ws://localhost:1/a%20b?c=%20'],
    ['http://127.0.0.1:1/x', 'ws://127.0.0.1:1/x'],
    ['https://127.0.0.1:1/x', 'wss://127.0.0.1:1/x'],
    ['ws://user:secret@127.0.0.1:1', 'ws://user:secret@127.0.0.1:1/'],
    ['ws://[::1]:1', 'ws://[::1]:1/'],
    ['ws+unix:/none.sock:/x', 'ws+unix:/none.sock:/x'],
    [new URL('ws://127.0.0.1:1/y'), 'ws://127.0.0.1:1/y'],
    [{ toString: () => 'ws://127.0.0.1:1/z' }, 'ws://127.0.0.1:1/z']
  ])('%p has the url %p', (address, url) => {
    expect(dial({ WebSocket }, address).url).toBe(url);
  });

  test('a URL object stays as it was', () => {
    const address = new URL('http://127.0.0.1:1/x');

    dial({ WebSocket }, address);
    expect(address.href).toBe('http://127.0.0.1:1/x');
  });
});

describeEach(implementations, 'the subprotocols', ({ lib: WebSocket }) => {
  const refusal = {
    class: 'SyntaxError',
    message: 'An invalid or duplicated subprotocol was specified'
  };

  test.each([
    ['an empty name', ''],
    ['a space', 'a b'],
    ['a comma', 'a,b'],
    ['a slash', 'a/b'],
    ['a control character', 'a\n'],
    ['a letter outside ASCII', 'caf\u00e9'],
    ['a duplicate', ['chat', 'other', 'chat']],
    ['an empty name in a list', ['chat', '']],
    ['no string', [1]],
    ['null', null],
    ['a number', 7],
    ['a list in a list', [['chat']]]
  ])('%s is refused at once', (_, protocols) => {
    expect(thrown(() => new WebSocket(URL_OF_NOBODY, protocols))).toEqual(
      refusal
    );
  });

  test.each([
    ['a duplicate', ['chat', 'chat']],
    ['an invalid name', 'a b']
  ])('%s among the options is refused at once', (_, protocols) => {
    expect(thrown(() => new WebSocket(URL_OF_NOBODY, { protocols }))).toEqual(
      refusal
    );
    expect(
      thrown(() => new WebSocket(URL_OF_NOBODY, undefined, { protocols }))
    ).toEqual(refusal);
  });

  test('those of the argument win over those of the options', () => {
    const websocket = dial({ WebSocket }, URL_OF_NOBODY, 'chat', {
      protocols: ['a b']
    });

    expect(websocket.protocol).toBe('');
  });

  test.each([
    ['all token characters', "!#$%&'*+-.^_`|~09AZaz"],
    ['names that differ in case', ['chat', 'Chat']],
    ['none', []],
    ['undefined', undefined]
  ])('%s is accepted', (_, protocols) => {
    const websocket = dial({ WebSocket }, URL_OF_NOBODY, protocols);

    expect(websocket.readyState).toBe(0);
  });
});

describeEach(implementations, 'the options', ({ lib: WebSocket }) => {
  test.each([1000, 12, '13', null, NaN])(
    'protocolVersion %p is refused at once',
    (protocolVersion) => {
      const make = () => new WebSocket(URL_OF_NOBODY, { protocolVersion });

      expect(thrown(make)).toEqual({
        class: 'RangeError',
        message:
          `Unsupported protocol version: ${protocolVersion} ` +
          '(supported versions: 8, 13)'
      });
      expect(make).toThrow(RangeError);
    }
  );

  test('the protocol version is checked before the URL', () => {
    expect(
      thrown(() => new WebSocket('foo', { protocolVersion: 7 })).message
    ).toMatch('Unsupported protocol version');
  });

  test('the URL is checked before the subprotocols', () => {
    expect(thrown(() => new WebSocket('foo', 'a b')).message).toBe(
      'Invalid URL: foo'
    );
  });

  test.each([
    ['a value with a line break', { 'X-A': 'a\r\nb' }, 'ERR_INVALID_CHAR'],
    ['a name with a space', { 'X A': 'a' }, 'ERR_INVALID_HTTP_TOKEN'],
    ['no value', { 'X-A': undefined }, 'ERR_HTTP_INVALID_HEADER_VALUE']
  ])('a header with %s is refused at once', (_, headers, code) => {
    expect(thrown(() => new WebSocket(URL_OF_NOBODY, { headers })).code).toBe(
      code
    );
  });

  test('an origin with a line break is refused at once', () => {
    expect(
      thrown(() => new WebSocket(URL_OF_NOBODY, { origin: 'a\nb' })).code
    ).toBe('ERR_INVALID_CHAR');
  });

  test('may be the second argument', () => {
    const websocket = trackWebSocket(
      new WebSocket(URL_OF_NOBODY, { perMessageDeflate: false })
    );

    expect(websocket.readyState).toBe(0);
  });

  test('stay as they were', () => {
    const headers = Object.freeze({ 'X-A': '1' });
    const options = Object.freeze({ headers, origin: 'o', protocols: ['p'] });
    const before = JSON.stringify(options);

    dial({ WebSocket }, URL_OF_NOBODY, [], options);
    trackWebSocket(new WebSocket(URL_OF_NOBODY, options));
    expect(JSON.stringify(options)).toBe(before);
  });

  test('the class needs new', () => {
    expect(() => WebSocket(URL_OF_NOBODY)).toThrow(TypeError);
    expect(() => WebSocket.Server({ noServer: true })).toThrow(TypeError);
  });
});

describeEach(implementations, 'a client just made', ({ lib: WebSocket }) => {
  test('has the initial attributes', () => {
    const websocket = dial({ WebSocket }, URL_OF_NOBODY);

    expect({
      readyState: websocket.readyState,
      binaryType: websocket.binaryType,
      bufferedAmount: websocket.bufferedAmount,
      extensions: websocket.extensions,
      isPaused: websocket.isPaused,
      protocol: websocket.protocol,
      onopen: websocket.onopen,
      onmessage: websocket.onmessage,
      onerror: websocket.onerror,
      onclose: websocket.onclose
    }).toEqual({
      readyState: WebSocket.CONNECTING,
      binaryType: 'nodebuffer',
      bufferedAmount: 0,
      extensions: '',
      isPaused: false,
      protocol: '',
      onopen: null,
      onmessage: null,
      onerror: null,
      onclose: null
    });
  });

  test.each(['send', 'ping', 'pong'])('cannot %s', (method) => {
    const websocket = dial({ WebSocket }, URL_OF_NOBODY);
    const refusal = {
      class: 'Error',
      message: 'WebSocket is not open: readyState 0 (CONNECTING)'
    };
    const callback = jest.fn();

    expect(thrown(() => websocket[method]('x'))).toEqual(refusal);
    expect(thrown(() => websocket[method]())).toEqual(refusal);
    expect(thrown(() => websocket[method]('x', callback))).toEqual(refusal);
    expect(callback).not.toHaveBeenCalled();
  });

  test('ignores pause and resume', () => {
    const websocket = dial({ WebSocket }, URL_OF_NOBODY);

    websocket.pause();
    expect(websocket.isPaused).toBe(false);
    websocket.resume();
    expect(websocket.isPaused).toBe(false);
  });

  test('takes further properties', () => {
    const websocket = dial({ WebSocket }, URL_OF_NOBODY);

    websocket.isAlive = true;
    expect(websocket.isAlive).toBe(true);
  });
});
