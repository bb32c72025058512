import type { FlagDefinition, JsonValue } from '@headgate/contracts';
import { checkDefinition } from './check-definition.js';
import { MAX_COMPILED_BYTES } from './check-size.js';
import { describeProblem } from './problem.js';
import { ALONE, type CompilableFlag, type Surroundings } from './surroundings.js';

const T = 1_790_000_000_000;
const base: FlagDefinition = {
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  overridable: 'none',
};
const flag = (
  key: string,
  over: Partial<FlagDefinition> = {},
  status: CompilableFlag['status'] = 'active',
) => ({
  key,
  status,
  split: null,
  definition: { ...base, ...over },
});
const around = (...flags: readonly CompilableFlag[]): Surroundings => ({
  flag: (key) => flags.find((one) => one.key === key),
  segment: (name) => (name === 'insiders' ? { var: 'insider' } : undefined),
  attributes: null,
});
const found = (over: Partial<FlagDefinition>, channel: Surroundings = ALONE): readonly string[] =>
  checkDefinition({ ...base, ...over }, 'path', channel).map(describeProblem);

const isLinux: JsonValue = { '==': [{ var: 'os' }, 'linux'] };
const on = { variant: 'on' };
const half = {
  split: [
    { variant: 'on', weightPpm: 500_000 },
    { variant: 'off', weightPpm: 500_000 },
  ],
};
const ramp = (from: number, to: number) => ({
  ramp: { variant: 'on', from: { at: from, weightPpm: 0 }, to: { at: to, weightPpm: 1_000_000 } },
});
const gate = flag('gate');

describe('a definition', () => {
  it.each<[string, Partial<FlagDefinition>]>([
    ['has its default in the code', { defaultVariant: null }],
    [
      'has rules',
      {
        rules: [
          { when: isLinux, serve: half },
          { when: true, serve: on },
        ],
      },
    ],
    [
      'repeats a condition behind a split, which not everybody has a bucket in',
      {
        rules: [
          { when: isLinux, serve: half },
          { when: isLinux, serve: on },
        ],
      },
    ],
    ['refers to a segment', { rules: [{ when: { '!': [{ $ref: 'insiders' }] }, serve: on }] }],
    ['ramps up', { fallthrough: ramp(T, T + 1) }],
    [
      'is scheduled',
      {
        schedule: [
          { at: T, serve: on },
          { at: T + 1, serve: half },
        ],
      },
    ],
    ['waits for another flag', { prerequisites: [{ flag: 'gate', variants: ['on'], otherwise: 'off' }] }],
    [
      'is bounded',
      { variants: { a: 'x', b: 'y' }, defaultVariant: 'a', bounds: { pattern: '^[a-z]+(-[a-z]+)*$' } },
    ],
    [
      'has a raw rule',
      {
        targeting: {
          if: [
            isLinux,
            'on',
            {
              fractional: [
                ['on', 1],
                ['off', 9],
              ],
            },
          ],
        },
      },
    ],
  ])('passes that %s', (_, over) => expect(found(over, around(gate))).toEqual([]));

  it.each<[Partial<FlagDefinition>, string]>([
    [{ variants: {}, defaultVariant: null }, 'variants: empty; name at least one'],
    [
      { variants: { on: true, off: 'no' } },
      'variants: mixed types (boolean, string); all variants of a flag have one type',
    ],
    [
      { variants: { on: [1] }, defaultVariant: 'on' },
      'variants.on: array is not a flag value; use boolean, string, number or object',
    ],
    [{ defaultVariant: 'purple' }, 'defaultVariant: "purple" is not one of on, off'],
    [
      { targeting: { if: [isLinux, 'on'] }, rules: [{ when: isLinux, serve: on }] },
      'targeting: stands beside rules; keep one of the two, rules read better',
    ],
    [{ targeting: 'on' }, 'targeting: is not a flagd rule; write {} for none, or {"if": [true, "variant"]}'],
    [
      { targeting: { if: [isLinux, 'purple'] } },
      'targeting.if.1: result "purple" names no variant: the flag has "on", "off"',
    ],
    [
      { rules: [{ when: isLinux, serve: { variant: 'purple' } }] },
      'rules.0.serve.variant: "purple" is not one of on, off',
    ],
    [
      { rules: [{ when: { shout: 1 }, serve: on }] },
      'rules.0.when.shout: operator "shout" does not exist: …',
    ],
    [
      {
        rules: [
          { when: true, serve: on },
          { when: isLinux, serve: on },
        ],
      },
      'rules.0.when: is always met, so that the rule behind it can never be reached; move it to the end, or take them out',
    ],
    [
      { rules: [{ when: { '==': [1, 1] }, serve: on }], fallthrough: half },
      'rules.0.when: is always met, so that fallthrough can never be reached; move it to the end, or take them out',
    ],
    [
      { rules: [{ when: { '!': [true] }, serve: on }] },
      'rules.0.when: is never met; take the rule out, or mend its condition',
    ],
    [
      {
        rules: [
          { when: isLinux, serve: on },
          { when: isLinux, serve: half },
        ],
      },
      'rules.1.when: repeats rules.0.when, which takes everybody it is met by',
    ],
    [
      {
        rules: [
          { when: { var: 'insider' }, serve: on },
          { when: { $ref: 'insiders' }, serve: half },
        ],
      },
      'rules.1.when: repeats rules.0.when, which takes everybody it is met by',
    ],
    [
      { rules: [{ when: { and: [{ $ref: 'nobody' }, isLinux] }, serve: on }] },
      'rules.0.when: the channel has no segment "nobody"; create it first, or mend the name',
    ],
    [
      {
        fallthrough: {
          split: [
            { variant: 'on', weightPpm: 400_000 },
            { variant: 'off', weightPpm: 500_000 },
          ],
        },
      },
      'fallthrough.split: the weights sum to 900000, not to 1000000; add 100000',
    ],
    [
      {
        schedule: [
          {
            at: T,
            serve: {
              split: [
                { variant: 'on', weightPpm: 1_000_000 },
                { variant: 'off', weightPpm: 1 },
              ],
            },
          },
        ],
      },
      'schedule.0.serve.split: the weights sum to 1000001, not to 1000000; take off 1',
    ],
    [
      { fallthrough: ramp(T, T - 1_000) },
      'fallthrough.ramp.to.at: 2026-09-21T14:13:19.000Z is not after from.at, 2026-09-21T14:13:20.000Z; swap them, or serve a split',
    ],
    [
      {
        schedule: [
          { at: T, serve: on },
          { at: T, serve: half },
        ],
      },
      'schedule.1.at: 2026-09-21T14:13:20.000Z is not after 2026-09-21T14:13:20.000Z; write the entries in the order of their times',
    ],
    [
      { prerequisites: [{ flag: 'nobody', variants: ['on'] }] },
      'prerequisites.0.flag: the channel has no flag "nobody"; create it first, or mend the key',
    ],
    [
      { prerequisites: [{ flag: 'old', variants: ['on'] }] },
      'prerequisites.0.flag: flag "old" was archived; it would never be met',
    ],
    [
      { prerequisites: [{ flag: 'gate', variants: ['blue'] }] },
      'prerequisites.0.variants: flag "gate" has no variant "blue", only on, off',
    ],
    [
      { prerequisites: [{ flag: 'gate', variants: ['on'], otherwise: 'blue' }] },
      'prerequisites.0.otherwise: "blue" is not one of on, off',
    ],
    [
      { prerequisites: [{ flag: 'back', variants: ['on'] }] },
      'prerequisites: path → back → path goes in a circle',
    ],
    [{ bounds: { min: 1, max: 2 } }, 'bounds: min and max are for flags whose variants are numbers'],
    [
      { variants: { a: 1 }, defaultVariant: 'a', bounds: { min: 3, max: 2 } },
      'bounds.min: 3 is above max, 2; no value keeps to both',
    ],
    [{ bounds: { variants: ['on', 'blue'] } }, 'bounds.variants: "blue" is not one of on, off'],
    [
      { variants: { a: 'x' }, defaultVariant: 'a', bounds: { pattern: '(a+)+' } },
      'bounds.pattern: repeats a repetition, which can take for ever; take one of the two off',
    ],
    [
      { metadata: { note: 'é'.repeat(40_000) } },
      'definition: 80240 bytes; at most 65536, move large values out of the flag',
    ],
  ])('%j is refused: %s', (over, line) => {
    const channel = around(
      gate,
      flag('old', {}, 'archived'),
      flag('back', { prerequisites: [{ flag: 'path', variants: ['on'] }] }),
    );
    const lines = found(over, channel);
    expect(
      lines.map((one) => one.replace(/\d+ bytes;/, 'N bytes;').replace(/: flagd and Headgate know.*/, ': …')),
    ).toEqual([line.replace(/\d+ bytes;/, 'N bytes;')]);
  });

  it('is refused when a chain of eleven flags hangs on it', () => {
    const chain = Array.from({ length: 12 }, (_, i) =>
      flag(`f${i}`, i === 0 ? {} : { prerequisites: [{ flag: `f${i - 1}`, variants: ['on'] }] }),
    );
    const waitsFor = (key: string) =>
      found({ prerequisites: [{ flag: key, variants: ['on'] }] }, around(...chain));
    expect(waitsFor('f9')).toEqual([]);
    expect(waitsFor('f10')).toEqual([
      'prerequisites: a chain of 11 flags hangs on this one; at most 10: refer to the first of them directly',
    ]);
  });

  it('is refused when the compiled rule would be too large, however small it is written', () => {
    // Each refers to the two before it, so that the text doubles with every flag.
    const rules = [
      { when: { in: [{ var: 'x' }, Array.from({ length: 100 }, (_, i) => `value ${i}`)] }, serve: on },
    ];
    const fan = Array.from({ length: 10 }, (_, i) =>
      flag(`f${i}`, {
        rules,
        ...(i < 2
          ? {}
          : {
              prerequisites: [i - 1, i - 2].map((n) => ({
                flag: `f${n}`,
                variants: ['on'],
                otherwise: 'off',
              })),
            }),
      }),
    );
    const [line = ''] = found({ prerequisites: [{ flag: 'f9', variants: ['on'] }] }, around(...fan));
    expect(line).toMatch(
      /^compiled with its segments and prerequisites it takes \d{6,} bytes; at most 100000: make them smaller, or refer to fewer$/,
    );
    expect(Number(/\d{6,}/.exec(line)?.[0])).toBeGreaterThan(MAX_COMPILED_BYTES);
  });

  it('keeps to what its channel lets rules read', () => {
    const channel = { ...around(gate), attributes: ['os', 'version'] };
    const lines = (over: Partial<FlagDefinition>) => found(over, channel);
    expect(lines({ rules: [{ when: isLinux, serve: half }] })).toEqual([]);
    expect(lines({ targeting: { if: [{ '==': [{ var: '$flagd.flagKey' }, 'path'] }, 'on', null] } })).toEqual(
      [],
    );
    expect(lines({ rules: [{ when: { in: [{ var: 'user.email' }, ['a@b.c']] }, serve: on }] })).toEqual([
      'rules.0.when: reads "user.email"; rules of this channel may read targetingKey, os, version',
    ]);
    expect(lines({ rules: [{ when: { '!': [{ missing: ['email'] }] }, serve: on }] })).toHaveLength(1);
    expect(lines({ rules: [{ when: { '!!': [{ var: '' }] }, serve: on }] })[0]).toMatch(
      /reads the whole context/,
    );
    expect(lines({ fallthrough: { ...half, bucketBy: 'account' } })).toEqual([
      'fallthrough.bucketBy: reads "account"; rules of this channel may read targetingKey, os, version',
    ]);
  });
});

describe('the value of a variant', () => {
  const nested = (depth: number): { [name: string]: JsonValue } => {
    let value: { [name: string]: JsonValue } = {};
    for (let i = 1; i < depth; i++) value = { a: i % 2 === 0 ? value : [value] };
    return value;
  };
  const deep = (depth: number): readonly string[] =>
    found({ variants: { off: nested(depth) }, defaultVariant: 'off' });

  it('is nested no deeper than clients read and channels are signed', () => {
    expect(deep(10)).toEqual([]);
    const message = 'variants.off: nested deeper than 30; nest less, or serve it as a text';
    expect(deep(500)).toEqual([message]);
    expect(deep(20_000)).toEqual([message]);
  });

  it('may have thirty objects in one another, and not one more', () => {
    const objects = (count: number): { [name: string]: JsonValue } =>
      count === 1 ? { a: 1 } : { a: objects(count - 1) };
    expect(found({ variants: { off: objects(30) }, defaultVariant: 'off' })).toEqual([]);
    expect(found({ variants: { off: objects(31) }, defaultVariant: 'off' })).toHaveLength(1);
  });
});
