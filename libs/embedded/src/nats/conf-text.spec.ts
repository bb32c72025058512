import { confText } from './conf-text.js';

test('values are written as nats-server reads them', () => {
  expect(
    confText({
      name: 'a "b" \\c',
      port: 1,
      on: true,
      absent: undefined,
      list: ['x', 2],
      none: [],
      of: { k: 'v' },
    }),
  ).toBe(
    'name: "a \\"b\\" \\\\c"\nport: 1\non: true\nlist: [\n  "x"\n  2\n]\nnone: []\nof: {\n  k: "v"\n}\n',
  );
});

test('a variable is left for the server to read from its environment', () => {
  expect(confText({ password: { variable: 'HG_PASSWORD' } })).toBe('password: $HG_PASSWORD\n');
});

test.each(['a\nb', 'a\u0000b', 'é', '\u2028'])(
  'text that could break out of its quotes (%j) is refused',
  (text) => {
    expect(() => confText({ name: text })).toThrow(/printable ASCII/);
  },
);
