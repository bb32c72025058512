import fc from 'fast-check';

/**
 * Rules as flagd's JSON Schema has them, with attributes of every type in every place. What is left out is what flagd-core
 * gets wrong by itself (see `EXCLUSIONS`); everything else is generated, sense or nonsense.
 */
const NAMES = [
  'a',
  'b',
  'n',
  'list',
  'rows',
  'user',
  'user.name',
  'user.age',
  'list.0',
  'version',
  'é',
  'gone',
];

const TEXTS = ['', ' ', '0', '5', '-1', '1e3', 'on', 'off', 'abc', 'bc', 'é', '日本', '😀', 'true', 'null'];
const VERSIONS = [
  ...['1', '1.2', '1.2.3', 'v1.2.3', 'V1.2.3', 'vv1.2.3', '01.2.3', '1.02.3', '1.2.3.4', '1.2.3-alpha'],
  ...['1.2.3-alpha.1', '1.2.3-alpha.beta', '1.2.3-1', '1.2.3-01', '1.2.3+build', '1.2.3-rc.1+b.2', '1.2.3+'],
  ...['2.0.0', '1.10.0', '1.9.0', ' 1.2.3', '1.2.3 ', '=1.2.3', '99999999999999999999.0.0', '1.2.', 'x', ''],
  ...[
    '1234567890.1.1',
    '9007199254740991.0.0',
    '9007199254740992.0.0',
    '1.2.3-',
    '0.0.0',
    '1.2.x',
    'v',
    '1.2.3\n',
  ],
];
const RANGES = ['=', '!=', '<', '<=', '>', '>=', '^', '~', '=>', ''];

const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 4 }) },
);
const number = fc.oneof(
  fc.constantFrom(0, 1, -1, 2, 5, 0.5, 1e308, 100, 1_800_000_000),
  fc.integer({ min: -20, max: 20 }),
);
const literal = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 4, arbitrary: number },
  { weight: 1, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: fc.constant(null) },
);
export const version = fc.oneof(
  fc.constantFrom(...VERSIONS),
  fc.tuple(fc.nat(3), fc.nat(12), fc.nat(3)).map((parts) => parts.join('.')),
);
export const value = fc.oneof(
  { weight: 5, arbitrary: literal },
  { weight: 1, arbitrary: fc.array(literal, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('name', 'age', 'x'), literal, { maxKeys: 2 }) },
  { weight: 1, arbitrary: fc.array(fc.array(literal, { maxLength: 2 }), { maxLength: 2 }) },
);

const name = fc.constantFrom(...NAMES, '$flagd.flagKey', '$flagd.timestamp', 'targetingKey');
const elementName = fc.constantFrom('', 'name', 'age', 'x', 'a', '0', 'length');
const reducedName = fc.constantFrom('current', 'accumulator', 'current.age', '');

const variable = (names: fc.Arbitrary<string>) =>
  fc.oneof(
    { weight: 5, arbitrary: names.map((of) => ({ var: of })) },
    { weight: 1, arbitrary: names.map((of) => ({ var: [of] })) },
    { weight: 2, arbitrary: fc.tuple(names, literal).map((pair) => ({ var: pair })) },
  );

type Rule = fc.Arbitrary<unknown>;

interface Scope {
  readonly names: fc.Arbitrary<string>;
  /** flagd's own operators, which flagd-core cannot run inside an iterator. */
  readonly hasOwnOperators: boolean;
}

const operator = (of: string, ...args: readonly Rule[]): Rule =>
  fc.tuple(...args).map((list) => ({ [of]: list }));
const anyOf = (names: readonly string[], make: (of: string) => Rule): Rule =>
  fc.oneof(...names.map((of) => make(of)));

/** `isWhole`: the value may stand where json-logic-engine writes it down without parentheses. */
const ruleOf = (depth: number, scope: Scope, isWhole = true): Rule => {
  const leaf = fc.oneof(literal, variable(scope.names));
  if (depth === 0) return leaf;
  const any = ruleOf(depth - 1, scope);
  const closed = ruleOf(depth - 1, scope, false);
  const inner = ruleOf(depth - 1, { names: elementName, hasOwnOperators: false });
  const reduced = ruleOf(depth - 1, { names: reducedName, hasOwnOperators: false });
  const many = (least: number, arg = any) => fc.array(arg, { minLength: least, maxLength: 4 });
  const list = fc.oneof(
    variable(fc.constantFrom('list', 'rows', 'a', 'gone', 'user.name')),
    fc.array(leaf, { maxLength: 4 }),
    closed,
  );
  const names = fc.array(fc.constantFrom(...NAMES), { maxLength: 4 });
  const choices: Rule[] = [
    leaf,
    anyOf(['==', '!=', '===', '!==', '>', '>=', '<', '<='], (of) => operator(of, any, any)),
    anyOf(['<', '<='], (of) => operator(of, any, any, any)),
    many(1).map((args) => ({ if: args })),
    operator('if', any, any, any),
    many(1).map((args) => ({ '+': args })),
    many(1).map((args) => ({ '-': args })),
    many(2).map((args) => ({ '*': args })),
    anyOf(['/', '%'], (of) => operator(of, any, any)),
    anyOf(['min', 'max'], (of) => many(1).map((args) => ({ [of]: args }))),
    anyOf(['!', '!!'], (of) =>
      fc.oneof(
        operator(of, any),
        any.map((arg) => ({ [of]: arg })),
      ),
    ),
    many(1).map((args) => ({ merge: args })),
    operator('in', any, list),
    operator('in', any, fc.array(literal, { maxLength: 6 })),
    many(1, closed).map((args) => ({ cat: args })),
    operator('substr', any, any),
    operator('substr', any, any, any),
    anyOf(['map', 'filter', 'some', 'none'], (of) => operator(of, list, inner)),
    operator(
      'reduce',
      list,
      reduced.filter((body) => body !== null),
      literal,
    ),
  ];
  if (isWhole) {
    choices.push(
      anyOf(['and', 'or'], (of) => many(1).map((args) => ({ [of]: args }))),
      operator('all', list, inner),
      names.map((missing) => ({ missing })),
      fc.tuple(fc.nat(3), names).map((args) => ({ missing_some: args })),
    );
  }
  if (scope.hasOwnOperators) choices.push(...ownOperators(any, leaf));
  return fc.oneof(...choices);
};

const ownOperators = (any: Rule, leaf: Rule): readonly Rule[] => {
  const anyVersion = fc.oneof(version, leaf, fc.constant({ var: 'version' }));
  const variant = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<unknown>('on', 'off', 'red', null, true) },
    { weight: 1, arbitrary: any },
  );
  const weight = fc.oneof(
    { weight: 5, arbitrary: fc.nat(100) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1_000_000, 2_147_483_647) },
    { weight: 1, arbitrary: any },
  );
  const share = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(variant, weight) },
    { weight: 1, arbitrary: fc.tuple(variant) },
  );
  const shares = fc.array(share, { minLength: 1, maxLength: 4 });
  const key = fc.oneof(
    fc
      .tuple(text, fc.constantFrom('targetingKey', 'a', 'user.name', 'gone'))
      .map(([seed, of]) => ({ cat: [seed, { var: of }] })),
    fc
      .constantFrom('targetingKey', 'a', 'user.name')
      .map((of) => ({ cat: [{ var: '$flagd.flagKey' }, ':', { var: of }] })),
    variable(name),
    any.filter((rule) => rule !== null && typeof rule === 'object'),
  );
  return [
    fc.tuple(anyVersion, fc.constantFrom(...RANGES), anyVersion).map((args) => ({ sem_ver: args })),
    anyOf(['starts_with', 'ends_with'], (of) => operator(of, fc.oneof(text, any), fc.oneof(text, any))),
    shares.map((args) => ({ fractional: args })),
    fc.tuple(key, shares).map(([of, rest]) => ({ fractional: [of, ...rest] })),
  ];
};

export const rule = (depth: number): Rule => ruleOf(depth, { names: name, hasOwnOperators: true });
