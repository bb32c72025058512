import fc from 'fast-check';
import { checkFlagFile } from './check-flag-file.js';
import { flagFiles } from './flag-file.fixture.js';
import { formatFlagFile } from './format-flag-file.js';
import { parseFlagFile } from './parse-flag-file.js';

const RUNS = 100;

describe('a flag file', () => {
  it('is read back as it was written, whatever it says', () => {
    fc.assert(
      fc.property(flagFiles, (file) => {
        const { file: again, problems } = parseFlagFile(formatFlagFile(file));
        expect(problems).toEqual([]);
        expect(again).toEqual(file);
      }),
      { numRuns: RUNS },
    );
  });

  it('is written the same way twice', () => {
    fc.assert(
      fc.property(flagFiles, (file) => {
        const text = formatFlagFile(file);
        expect(formatFlagFile(parseFlagFile(text).file as typeof file)).toBe(text);
      }),
      { numRuns: RUNS },
    );
  });

  it('may be JSON', () => {
    const { file, problems } = parseFlagFile(
      '{"schema": "headgate.flags.v1", "flags": {"a": {"state": "ENABLED", "variants": {"on": true}, "expires": 86400000}}}',
    );
    expect(problems).toEqual([]);
    expect(file?.flags.a).toEqual({
      state: 'ENABLED',
      variants: { on: true },
      overridable: 'none',
      expires: 86_400_000,
    });
  });

  it('reads as people write', () => {
    const { file, problems } = parseFlagFile(`schema: headgate.flags.v1
channel: stable
segments:
  beta:
    when: {in: [{var: targetingKey}, [a, b]]}
flags:
  new-parser:
    state: ENABLED
    expires: 2026-12-01
    variants: {on: true, off: false}
    defaultVariant: off
    rules:
      - when: {$ref: beta}
        serve: {split: [{variant: on, weight: 12.5 %}, {variant: off, weight: 87.5%}]}
    fallthrough:
      ramp: {variant: on, from: {at: 2026-12-01, weight: 0 %}, to: {at: "2026-12-05T00:00:00+01:00", weight: 100 %}}
`);
    expect(problems).toEqual([]);
    expect(file?.flags['new-parser']).toMatchObject({
      expires: Date.UTC(2026, 11, 1),
      rules: [
        {
          serve: {
            split: [
              { variant: 'on', weightPpm: 125_000 },
              { variant: 'off', weightPpm: 875_000 },
            ],
          },
        },
      ],
      fallthrough: {
        ramp: {
          from: { at: Date.UTC(2026, 11, 1), weightPpm: 0 },
          to: { at: Date.UTC(2026, 11, 4, 23), weightPpm: 1_000_000 },
        },
      },
    });
    expect(formatFlagFile(file as never)).toBe(`schema: headgate.flags.v1
channel: stable
segments:
  beta:
    when: { in: [ { var: targetingKey }, [ a, b ] ] }
flags:
  new-parser:
    expires: "2026-12-01T00:00:00Z"
    state: ENABLED
    variants:
      "on": true
      "off": false
    defaultVariant: "off"
    rules:
      - when: { $ref: beta }
        serve:
          split:
            - { variant: "on", weight: 12.5 % }
            - { variant: "off", weight: 87.5 % }
    fallthrough:
      ramp:
        variant: "on"
        from: { at: "2026-12-01T00:00:00Z", weight: 0 % }
        to: { at: "2026-12-04T23:00:00Z", weight: 100 % }
`);
  });
});

describe('what is wrong with a flag file', () => {
  const flag = (line: string): string =>
    `schema: headgate.flags.v1\nflags:\n  a:\n    state: ENABLED\n    variants: {on: true, off: false}\n    ${line}\n`;

  it.each<[string, string, string, RegExp, RegExp]>([
    [
      'a bare weight',
      flag('fallthrough: {split: [{variant: on, weight: 25}]}'),
      '6:41',
      /25 is not a percentage/,
      /25 %/,
    ],
    [
      'a weight above all',
      flag('fallthrough: {split: [{variant: on, weight: 101 %}]}'),
      '6:41',
      /more than 100 %/,
      /100 %/,
    ],
    [
      'too many decimals',
      flag('fallthrough: {split: [{variant: on, weight: 0.00001 %}]}'),
      '6:41',
      /not a percentage/,
      /four decimals/,
    ],
    [
      'two weights',
      flag('fallthrough: {split: [{variant: on, weight: 1 %, weightPpm: 1}]}'),
      '6:41',
      /both given/,
      /Keep weight/,
    ],
    ['a day that is none', flag('expires: 2026-02-30'), '6:5', /not an instant/, /2026-12-24/],
    ['a time without an offset', flag('expires: 2026-12-01T10:00:00'), '6:5', /not an instant/, /offset/],
    ['an unknown field', flag('defaultVariants: on'), '6:5', /"defaultVariants" is not known/, /spelling/],
    [
      'a serve that is none',
      flag('fallthrough: {varint: on}'),
      '6:5',
      /"varint" is not known|is missing/,
      /./,
    ],
    [
      'two flags of one key',
      `${flag('description: one')}  a: {state: ENABLED, variants: {on: true}}\n`,
      '7:3',
      /stands here twice/,
      /Keep one/,
    ],
    [
      'a key that cannot be one',
      `${flag('description: one')}  "a b": {state: ENABLED, variants: {on: true}}\n`,
      '7:3',
      /1 to 200 characters/,
      /./,
    ],
    ['broken YAML', 'schema: [', '1:10', /./, /Mend the YAML/],
    ['another document', 'kind: Deployment', '1:1', /not a flag file/, /headgate\.flags\.v1/],
    ['nothing', '', '1:1', /not a flag file/, /headgate\.flags\.v1/],
    ['a hostile name', flag('metadata: {__proto__: x}'), '6:16', /cannot be a name/, /another name/],
    ['a number that JSON does not know', flag('metadata: {x: .inf}'), '6:19', /not a number/, /finite/],
  ])('%s: its place and the mend', (_, text, place, message, mend) => {
    const [problem] = parseFlagFile(text).problems;
    expect(`${problem?.line}:${problem?.column}`).toBe(place);
    expect(problem?.message).toMatch(message);
    expect(problem?.mend).toMatch(mend);
  });

  it.each<[string, string, string, RegExp]>([
    ['a variant that is not there', flag('defaultVariant: of'), '6:5', /"of" is not one of on, off/],
    [
      'a split that does not sum',
      flag('fallthrough: {split: [{variant: on, weight: 10 %}]}'),
      '6:19',
      /sum to 10 %, not to 100 %/,
    ],
    ['an unknown segment', flag('rules: [{when: {$ref: beta}, serve: {variant: on}}]'), '6:14', /beta/],
    [
      'an unknown prerequisite',
      flag('prerequisites: [{flag: gate, variants: [on]}]'),
      '6:22',
      /no flag "gate"/,
    ],
    ['a circle', flag('prerequisites: [{flag: a, variants: [on]}]'), '6:5', /circle/],
    ['an unknown operator', flag('rules: [{when: {like: [1]}, serve: {variant: on}}]'), '6:21', /like/],
  ])('%s is found as the server finds it', (_, text, place, message) => {
    const { file, problems, locate } = parseFlagFile(text);
    expect(problems).toEqual([]);
    const [problem] = checkFlagFile(file as never, locate);
    expect(problem?.message).toMatch(message);
    expect(`${problem?.line}:${problem?.column}`).toBe(place);
    expect(problem?.mend).not.toBe('');
  });

  it('is not what the channel has already', () => {
    const { file, locate } = parseFlagFile(flag('rules: [{when: {$ref: beta}, serve: {variant: on}}]'));
    expect(checkFlagFile(file as never, locate, { flags: {}, segments: { beta: { when: true } } })).toEqual(
      [],
    );
  });
});
