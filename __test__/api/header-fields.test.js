'use strict';

const { describeEach, implementations } = require('../support/implementations');
const { thrown } = require('../support/trace');

/** The parsed form without its null prototypes. */
const plain = (value) => JSON.parse(JSON.stringify(value));

describeEach(implementations, 'extension.parse()', ({ lib }) => {
  const { parse } = lib.extension;

  test.each([
    ['foo', { foo: [{}] }],
    ['foo,bar', { foo: [{}], bar: [{}] }],
    ['foo, foo', { foo: [{}, {}] }],
    ['foo;a', { foo: [{ a: [true] }] }],
    ['foo;a=1', { foo: [{ a: ['1'] }] }],
    ['foo; a=1; b; a=2', { foo: [{ a: ['1', '2'], b: [true] }] }],
    ['foo;a="1"', { foo: [{ a: ['1'] }] }],
    ['foo;a="b\\c\\d"', { foo: [{ a: ['bcd'] }] }],
    ['foo ; a', { foo: [{ a: [true] }] }],
    ['foo;a,bar;b=2', { foo: [{ a: [true] }], bar: [{ b: ['2'] }] }],
    ['foo \t;\ta', { foo: [{ a: [true] }] }],
    ["a!#$%&'*+-.^_`|~0Z", { "a!#$%&'*+-.^_`|~0Z": [{}] }],
    [
      'hasOwnProperty; toString=1, __proto__',
      { hasOwnProperty: [{ toString: ['1'] }], ['__proto__']: [{}] }
    ]
  ])('reads %s', (text, expected) => {
    expect(JSON.stringify(parse(text))).toBe(JSON.stringify(expected));
  });

  test.each([
    ['', 'Unexpected end of input'],
    ['foo,', 'Unexpected end of input'],
    ['foo;', 'Unexpected end of input'],
    ['foo;a=', 'Unexpected end of input'],
    ['foo;a="', 'Unexpected end of input'],
    ['foo;a="b', 'Unexpected end of input'],
    ['foo;a="b\\', 'Unexpected end of input'],
    [' ', 'Unexpected character at index 0'],
    [' foo', 'Unexpected character at index 0'],
    ['foo ', 'Unexpected end of input'],
    [',foo', 'Unexpected character at index 0'],
    ['foo ; a = 1', 'Unexpected character at index 8'],
    [';foo', 'Unexpected character at index 0'],
    ['foo bar', 'Unexpected character at index 4'],
    ['foo,,bar', 'Unexpected character at index 4'],
    ['foo=1', 'Unexpected character at index 3'],
    ['foo;;a', 'Unexpected character at index 4'],
    ['foo;=1', 'Unexpected character at index 4'],
    ['foo;a==1', 'Unexpected character at index 6'],
    ['foo;a="1" 2', 'Unexpected character at index 10'],
    ['foo;a="\u00e9"', 'Unexpected character at index 7'],
    ['f\u00e9', 'Unexpected character at index 1'],
    ['foo;a="b c"', 'Unexpected character at index 8'],
    ['foo;a=""', 'Unexpected character at index 7'],
    ['foo\0', 'Unexpected character at index 3']
  ])('refuses %j', (text, message) => {
    expect(thrown(() => parse(text))).toEqual({
      class: 'SyntaxError',
      message
    });
    expect(() => parse(text)).toThrow(SyntaxError);
  });

  test('gives objects without a prototype', () => {
    const extensions = parse('foo; a');

    expect(Object.getPrototypeOf(extensions)).toBe(null);
    expect(Object.getPrototypeOf(extensions.foo[0])).toBe(null);
  });
});

describeEach(implementations, 'extension.format()', ({ lib }) => {
  const { format, parse } = lib.extension;

  test.each([
    [{ foo: {} }, 'foo'],
    [{ foo: [{}] }, 'foo'],
    [{ foo: [{}, {}] }, 'foo, foo'],
    [{ foo: { a: true } }, 'foo; a'],
    [{ foo: { a: 1, b: 'x' } }, 'foo; a=1; b=x'],
    [{ foo: { a: [true, '2'] } }, 'foo; a; a=2'],
    [{ foo: { a: true }, bar: [{ b: 2 }, {}] }, 'foo; a, bar; b=2, bar'],
    [{}, '']
  ])('writes %j', (extensions, text) => {
    expect(format(extensions)).toBe(text);
  });

  test('undoes parse()', () => {
    const text = 'foo; a=1; b, bar, foo; a=2; a=3';

    expect(plain(parse(format(parse(text))))).toEqual(plain(parse(text)));
  });
});

describeEach(implementations, 'subprotocol.parse()', ({ lib }) => {
  const { parse } = lib.subprotocol;

  test.each([
    ['foo', ['foo']],
    ['foo,bar', ['foo', 'bar']],
    ['foo , bar\t,\tbaz', ['foo', 'bar', 'baz']],
    ["a!#$%&'*+-.^_`|~0Z", ["a!#$%&'*+-.^_`|~0Z"]],
    ['constructor,__proto__', ['constructor', '__proto__']]
  ])('reads %s', (text, names) => {
    const protocols = parse(text);

    expect(protocols).toBeInstanceOf(Set);
    expect([...protocols]).toEqual(names);
  });

  test.each([
    ['', 'Unexpected end of input'],
    [' ', 'Unexpected character at index 0'],
    ['foo,', 'Unexpected end of input'],
    ['foo, ', 'Unexpected end of input'],
    [',foo', 'Unexpected character at index 0'],
    ['foo,,bar', 'Unexpected character at index 4'],
    ['foo bar', 'Unexpected character at index 4'],
    ['foo;', 'Unexpected character at index 3'],
    ['f\u00e9', 'Unexpected character at index 1'],
    ['foo,bar,foo', 'The "foo" subprotocol is duplicated'],
    ['foo,foo,', 'The "foo" subprotocol is duplicated']
  ])('refuses %j', (text, message) => {
    expect(thrown(() => parse(text))).toEqual({
      class: 'SyntaxError',
      message
    });
  });

  test('takes time in proportion to its input', () => {
    const text = `foo${' '.repeat(1 << 20)}x`;

    expect(thrown(() => parse(text)).message).toBe(
      `Unexpected character at index ${3 + (1 << 20)}`
    );
  });
});
