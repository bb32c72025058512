import type { JsonValue } from '@headgate/contracts';
import { compileTargeting } from '@headgate/domain';
import { compileFlag } from '@headgate/evaluation';
import { fnv1a } from '../bucketing/theirs.js';
import { checkFlagFile } from '../check-flag-file.js';
import type { FlagFile } from '../flag-file.js';
import type { Imported } from '../report.js';
import type { Gathering } from '../source.js';
import { compilable, surroundingsOf } from '../surroundings.js';
import { importGoFeatureFlag } from './import-go-feature-flag.js';
import { queryCondition } from './query-condition.js';
import { serveOf } from './serve-of-rule.js';

const fileOf = ({ file, problems }: Imported): FlagFile => {
  expect(problems).toEqual([]);
  expect(checkFlagFile(file as FlagFile)).toEqual([]);
  return file as FlagFile;
};

const served = (file: FlagFile, key: string, context: object, now = 0): string | undefined => {
  const flag = compilable(file, key);
  if (!flag) throw new Error(`flag ${key} was not carried`);
  const { state, variants } = flag.definition;
  const { targeting, defaultVariant } = compileTargeting(flag, surroundingsOf(file));
  const { variant, reason, errorMessage } = compileFlag(
    { key, state, variants, defaultVariant, targeting },
    { now: () => now },
  )(context as never);
  if (reason === 'ERROR') throw new Error(errorMessage);
  return variant;
};

const meets = (query: string, context: object): boolean => {
  const made = queryCondition(query);
  if (!('when' in made)) throw new Error(made.why);
  const targeting: JsonValue = { if: [made.when, 'yes', 'no'] };
  return (
    compileFlag({ key: 'q', state: 'ENABLED', variants: { yes: 1, no: 0 }, targeting })(context as never)
      .variant === 'yes'
  );
};

describe('queries of GO Feature Flag', () => {
  it.each<[string, object, boolean]>([
    ['os eq "debian"', { os: 'debian' }, true],
    ['os == "debian"', { os: 'arch' }, false],
    ['os ne "debian"', { os: 'arch' }, true],
    ['os ne "debian"', {}, false],
    ['key eq "ann"', { targetingKey: 'ann' }, true],
    ['os co "bia"', { os: 'debian' }, true],
    ['os sw "deb"', { os: 'debian' }, true],
    ['os ew "ian"', { os: 'arch' }, false],
    ['os in ["arch", "debian"]', { os: 'debian' }, true],
    ['cores in [2,4]', { cores: 4 }, true],
    ['cores gt 4', { cores: 5 }, true],
    ['cores >= 4', { cores: 4 }, true],
    ['cores lt 4', {}, false],
    ['cores le 4.5', { cores: 4.5 }, true],
    ['cores ne 4', { cores: 4 }, false],
    ['beta eq true', { beta: true }, true],
    ['beta ne true', { beta: false }, true],
    ['version gt 1.2.3', { version: '1.10.0' }, true],
    ['version eq 1.2.3', { version: '1.2.3' }, true],
    ['version gt "1.0.0-1234"', { version: '1.0.0-2345' }, true],
    ['beta pr', { beta: false }, true],
    ['beta pr', {}, false],
    ['not (beta pr)', {}, true],
    ['NOT(os eq "debian")', { os: 'debian' }, false],
    ['(os eq "debian") and (cores gt 2)', { os: 'debian', cores: 4 }, true],
    // From the left: (a or b) and c.
    ['a eq 1 or b eq 1 and c eq 1', { a: 1 }, false],
    ['a eq 1 or (b eq 1 and c eq 1)', { a: 1 }, true],
    ['company.name eq "acme"', { company: { name: 'acme' } }, true],
    ['{"==": [{"var": "key"}, "ann"]}', { targetingKey: 'ann' }, true],
    ['', {}, true],
  ])('%s for %j: %s', (query, context, expected) => {
    expect(meets(query, context)).toBe(expected);
  });

  it.each<[string, RegExp]>([
    ['os eq', /ends where a value/],
    ['os like "x"', /"like" is no operator \(character 4\)/],
    ['os eq debian', /texts stand in double quotes/],
    ['(os eq "debian"', /ends where "\)"/],
    ['os eq "a" os eq "b"', /too much/],
    ['os gt "a"', /cannot be asked of a text/],
    ['os eq null', /cannot be asked of null/],
    ['{"==": [', /no JSON/],
    [`${'('.repeat(2000)}os pr${')'.repeat(2000)}`, /nested deeper/],
  ])('%s is refused with the place', (query, why) => {
    const made = queryCondition(query);
    expect('why' in made && made.why).toMatch(why);
  });

  it('say that case counts here', () => {
    expect(queryCondition('os eq "Debian"')).toMatchObject({
      remark: { why: expect.stringMatching(/case counts/) },
    });
    expect(queryCondition('os eq "10"')).not.toHaveProperty('remark');
    expect(queryCondition('os in ["Debian"]')).not.toHaveProperty('remark');
  });
});

const FILE = `
plain: {variations: {a: 1, b: 2}, defaultRule: {variation: a}, metadata: {description: first, issue: 7, more: [1]}, version: 1.2}
targeted:
  variations: {on: true, off: false}
  targeting:
    - {name: debians, query: os eq "10" and cores gt 2, variation: "on"}
    - {query: os gt "a", variation: "on"}
    - {query: beta pr, variation: "on", disable: true}
  defaultRule: {variation: "off"}
split:
  variations: {A: a, B: b, C: c}
  bucketingKey: team
  defaultRule: {percentage: {A: 10, B: 60.5, C: 29.5}}
ramp:
  variations: {old: o, new: n}
  defaultRule:
    progressiveRollout:
      initial: {variation: old, percentage: 0, date: 2026-01-01T00:00:00Z}
      end: {variation: new, percentage: 100, date: 2026-01-11T00:00:00Z}
scheduled:
  variations: {x: 1, y: 2}
  defaultRule: {variation: x}
  scheduledRollout:
    - {date: 2026-03-01T00:00:00Z, defaultRule: {percentage: {x: 0, "y": 100}}}
    - {date: 2026-02-01T00:00:00Z, defaultRule: {percentage: {x: 50, "y": 50}}}
steps:
  variations: {x: 1, y: 2}
  defaultRule: {variation: x}
  scheduledRollout:
    - {date: 2026-02-01T00:00:00Z, targeting: [{name: r, query: beta eq true, variation: "y"}]}
    - {date: 2026-03-01T00:00:00Z, targeting: [{name: r, query: beta eq false}]}
    - {date: 2026-04-01T00:00:00Z, disable: true}
experiment:
  variations: {x: 1, y: 2}
  defaultRule: {variation: x}
  experimentation: {start: 2026-02-01T00:00:00Z, end: 2026-03-01T00:00:00Z}
gone: {variations: {a: 1, b: 2}, defaultRule: {variation: a}, disable: true}
legacy: {percentage: 10, "true": 1, "false": 2, default: 3}
lists: {variations: {a: [1], b: [2]}, defaultRule: {variation: a}}
`;
const at = (day: string): number => Date.parse(`${day}T00:00:00Z`);

describe('flags of GO Feature Flag', () => {
  const imported = importGoFeatureFlag(FILE);
  const file = { ...(imported.file as FlagFile), flags: { ...imported.file?.flags } } as FlagFile;

  it('are sound, but for values that are none here', () => {
    expect(checkFlagFile(file).map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'flags.lists.variants.a: array is not a flag value',
      'flags.lists.variants.b: array is not a flag value',
    ]);
  });

  it('keep values, rules and what is said about them', () => {
    expect(file.flags.plain).toMatchObject({
      variants: { a: 1, b: 2 },
      defaultVariant: 'a',
      description: 'first',
      metadata: { issue: 7, version: '1.2' },
    });
    expect(served(file, 'targeted', { os: '10', cores: 4 })).toBe('on');
    expect(served(file, 'targeted', { os: '10', cores: 1 })).toBe('off');
    expect(file.flags.gone?.state).toBe('DISABLED');
  });

  it('give percentages before a variation, also when a step adds the variation', () => {
    const { file: merged } = importGoFeatureFlag(
      'a: {variations: {x: 1, y: 2}, defaultRule: {percentage: {x: 100}}, scheduledRollout: [{date: 2026-03-01, defaultRule: {variation: y}}]}',
    );
    expect(merged?.flags.a).toMatchObject({ defaultVariant: 'x', schedule: [{ serve: { variant: 'x' } }] });
  });

  it('split by the attribute that they name, in their order', () => {
    expect(file.flags.split?.fallthrough).toEqual({
      split: [
        { variant: 'C', weightPpm: 295_000 },
        { variant: 'B', weightPpm: 605_000 },
        { variant: 'A', weightPpm: 100_000 },
      ],
      bucketBy: 'team',
    });
    expect(served(file, 'split', { targetingKey: 'x' })).toBeUndefined();
  });

  it('ramp, and follow their schedule', () => {
    const share = (day: string): number =>
      Array.from({ length: 400 }, (_, i) => served(file, 'ramp', { targetingKey: `k${i}` }, at(day))).filter(
        (to) => to === 'new',
      ).length / 400;
    expect([share('2025-12-31'), share('2026-01-11')]).toEqual([0, 1]);
    expect(share('2026-01-06')).toBeGreaterThan(0.4);
    expect(share('2026-01-06')).toBeLessThan(0.6);
    expect(served(file, 'scheduled', { targetingKey: 'k' }, at('2026-01-31'))).toBe('x');
    expect(served(file, 'scheduled', { targetingKey: 'k' }, at('2026-03-01'))).toBe('y');
  });

  it('change their rules step by step', () => {
    const day = (text: string, beta: boolean): string | undefined =>
      served(file, 'steps', { targetingKey: 'k', beta }, at(text));
    expect(
      ['2026-01-31', '2026-02-01', '2026-03-01', '2026-04-01'].map((text) => [
        day(text, true),
        day(text, false),
      ]),
    ).toEqual([
      ['x', 'x'],
      ['y', 'x'],
      ['x', 'y'],
      [undefined, undefined],
    ]);
  });

  it('serve the default in the code outside their experiment', () => {
    expect(
      ['2026-01-31', '2026-02-15', '2026-03-01'].map((day) => served(file, 'experiment', {}, at(day))),
    ).toEqual([undefined, 'x', undefined]);
  });

  it('say what was left out', () => {
    expect(imported.report.notCarried.map(({ flag, place }) => `${flag} ${place}`)).toEqual([
      'plain plain.metadata.more',
      'targeted targeted.targeting[1].query',
      'targeted targeted.targeting[2]',
      'legacy legacy',
    ]);
  });

  it('are read from JSON and TOML too', () => {
    const toml =
      '[plain]\nversion = "1"\n[plain.variations]\na = 1\nb = 2\n[plain.defaultRule]\nvariation = "a"\n';
    const json =
      '{"plain": {"version": "1", "variations": {"a": 1, "b": 2}, "defaultRule": {"variation": "a"}}}';
    expect(fileOf(importGoFeatureFlag(toml, { form: 'toml' }))).toEqual(fileOf(importGoFeatureFlag(json)));
    expect(importGoFeatureFlag('[plain\n', { form: 'toml' }).problems).toMatchObject([
      { line: 1, mend: expect.stringMatching(/TOML/) },
    ]);
  });

  it('hash as FNV-1a’s authors publish', () => {
    expect([fnv1a(''), fnv1a('a'), fnv1a('foobar')]).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  });

  // What GO Feature Flag's own tests expect of these keys.
  it.each<[string, Record<string, number>, string]>([
    ['userkey', { variation_C: 9, variation_B: 91 }, 'variation_C'],
    ['userkey', { variation_C: 91, variation_B: 91 }, 'variation_B'],
    ['randomUserID', { variation_D: 70, variation_C: 10, variation_B: 20 }, 'variation_C'],
    [
      '96ac59e6-7492-436b-b15a-ba1d797d2423',
      { variation_D: 70, variation_C: 10, variation_B: 20 },
      'variation_B',
    ],
  ])('know what %s had of %j', (key, percentage, had) => {
    const seen: string[] = [];
    const gathering: Gathering = {
      options: {},
      seed: (_, own) => own,
      split: ({ theirs }) => void seen.push(theirs(key)),
      drop: (...why) => {
        throw new Error(why.join());
      },
      flag: () => undefined,
      segment: () => true,
    };
    serveOf({ percentage }, { flag: 'flagname+', bucketBy: 'targetingKey', path: [] }, gathering);
    expect(seen).toEqual([had]);
  });

  it('count who changes variant', () => {
    const { variantChanges } = imported.report;
    expect(variantChanges.map(({ flag, keys }) => [flag, keys])).toEqual([
      ['split', 10_000],
      ['ramp', 10_000],
      ['scheduled', 10_000],
    ]);
    // Two draws that know nothing of each other agree for the sum of the squares.
    expect(variantChanges[0]?.share).toBeCloseTo(1 - (0.295 ** 2 + 0.605 ** 2 + 0.1 ** 2), 1);
    expect(variantChanges[2]?.share).toBeCloseTo(0.5, 1);
  });
});
