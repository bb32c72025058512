import fc from 'fast-check';
import { checkFlagFile } from './check-flag-file.js';
import { flagFiles } from './flag-file.fixture.js';
import { exportFlagd } from './flagd/export-flagd.js';
import { importFlagd } from './flagd/import-flagd.js';
import { formatFlagFile } from './format-flag-file.js';
import { importGoFeatureFlag } from './go-feature-flag/import-go-feature-flag.js';
import { queryCondition } from './go-feature-flag/query-condition.js';
import { parseFlagFile } from './parse-flag-file.js';
import type { Imported } from './report.js';
import { importUnleash } from './unleash/import-unleash.js';

const RUNS = 150;

/** JSON that has the names that the importers look for, in places where they do not expect them. */
const words = [
  ...[
    'features',
    'flags',
    'name',
    'key',
    'strategies',
    'parameters',
    'constraints',
    'segments',
    'variants',
    'weight',
  ],
  ...[
    'contextName',
    'operator',
    'values',
    'value',
    'rollout',
    'stickiness',
    'groupId',
    'environments',
    'dependencies',
  ],
  ...[
    'variations',
    'targeting',
    'defaultRule',
    'percentage',
    'progressiveRollout',
    'scheduledRollout',
    'date',
    'query',
  ],
  ...[
    'state',
    'metadata',
    '$evaluators',
    'headgate.definition',
    'schema',
    'rules',
    'when',
    'serve',
    'split',
    'ramp',
    'id',
  ],
  ...[
    'featureStrategies',
    'featureEnvironments',
    'featureName',
    'environment',
    'payload',
    'overrides',
    'enabled',
  ],
];
const leaves = fc.oneof(
  fc.constantFrom(
    'IN',
    'NUM_GT',
    'flexibleRollout',
    'default',
    'ENABLED',
    'headgate.flags.v1',
    '25 %',
    '2026-01-01',
    'a',
    'os eq "x"',
  ),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.string({ maxLength: 8 }),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    leaves,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...words, 'toString', 'constructor'), tie('tree'), { maxKeys: 5 }),
  ),
}));
const top = fc
  .tuple(fc.array(tree, { maxLength: 3 }), tree)
  .map(([features, rest]) => ({ ...(typeof rest === 'object' ? rest : {}), features }));

const texts = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(...'{}[]:,-&*!|>"\'#%@` \n\tab1'), maxLength: 60 }),
  tree.map((value) => JSON.stringify(value)),
  top.map((value) => JSON.stringify(value)),
  flagFiles.map(formatFlagFile).chain((text) =>
    // A sound file with one piece cut out of it.
    fc
      .tuple(fc.nat({ max: text.length }), fc.nat({ max: 12 }))
      .map(([from, length]) => text.slice(0, from) + text.slice(from + length)),
  ),
);

const holdsPlaces = ({ problems, report, file }: Imported): void => {
  for (const { line, column, message, mend } of problems)
    expect([line >= 1, column >= 1, message !== '', mend !== '']).toEqual([true, true, true, true]);
  for (const { line, place, why, mend } of report.notCarried)
    expect([line >= 1, typeof place, why !== '', mend !== '']).toEqual([true, 'string', true, true]);
  // Either a file, or the reason why there is none.
  expect(file !== null || problems.length > 0).toBe(true);
};

describe('hostile texts', () => {
  it('never make the reader throw, and every problem has its place', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { file, problems, locate } = parseFlagFile(text);
        const found = [...problems, ...(file ? checkFlagFile(file, locate) : [])];
        for (const { line, column, message, mend } of found)
          expect([line >= 1, column >= 1, message !== '', mend !== '']).toEqual([true, true, true, true]);
        expect(file !== null || problems.length > 0).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it('never make an importer throw, and what it carries can be written, read and exported', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const keys = ['a', 'b'];
        for (const imported of [
          importFlagd(text),
          importUnleash(text, { keys, isSeedCompatible: true }),
          importGoFeatureFlag(text, { keys }),
          importGoFeatureFlag(text, { keys, form: 'toml' }),
        ]) {
          holdsPlaces(imported);
          if (!imported.file) continue;
          expect(parseFlagFile(formatFlagFile(imported.file))).toMatchObject({ problems: [] });
          expect(() => exportFlagd(imported.file as never)).not.toThrow();
          checkFlagFile(imported.file);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('never make a query throw', () => {
    const pieces = fc.constantFrom(
      'os',
      'eq',
      'and',
      'or',
      'not',
      '(',
      ')',
      '"x"',
      '[',
      ']',
      ',',
      '1',
      '1.2.3',
      'pr',
      'in',
      '"',
      '{',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces, { maxLength: 12 }).map((all) => all.join(' ')),
          fc.string(),
        ),
        (query) => {
          const made = queryCondition(query);
          expect('when' in made || made.why !== '').toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each<[string, string]>([
    [
      'aliases that multiply',
      `a: &a [x, x, x]\n${Array.from({ length: 30 }, (_, i) => `k${i}: &k${i} [*${i === 0 ? 'a' : `k${i - 1}`}, *${i === 0 ? 'a' : `k${i - 1}`}]`).join('\n')}`,
    ],
    ['depth', '['.repeat(20_000)],
    ['deep JSON', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`],
    ['a length beyond reading', ' '.repeat(9_000_000)],
    ['an alias of itself', 'a: &a {b: *a}'],
  ])('%s is a problem like others', (_, text) => {
    for (const { problems } of [
      parseFlagFile(text),
      importFlagd(text),
      importUnleash(text),
      importGoFeatureFlag(text),
    ].map((read) => ({
      problems: 'report' in read ? [...read.problems, ...read.report.notCarried] : read.problems,
    })))
      expect(problems.length).toBeGreaterThan(0);
  });
});
