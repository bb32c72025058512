import fc from 'fast-check';
import { fuzzRun } from '../../support/fuzz-run.js';
import { compare, EXCLUSIONS, explainedAlike } from './compare.js';
import { type DifferentialCase, differentialCase } from './generate-case.js';

describe('the same flag and context, here and in flagd-core', () => {
  it('give the same value, variant, reason and error code', () => {
    const seen = new Map<string, number>();
    const count = (word: string) => seen.set(word, (seen.get(word) ?? 0) + 1);
    fc.assert(
      fc.property(differentialCase, (sample) => {
        expect(compare(sample)).toBeNull();
        for (const [operator] of JSON.stringify(sample).matchAll(/"[^"]+":/g)) count(operator);
      }),
      fuzzRun('evaluation beside flagd-core', 5_000),
    );
    // a generator that leaves an operator out would show nothing about it
    for (const operator of ['if', 'fractional', 'sem_ver', 'reduce', 'missing_some', 'substr', '$ref']) {
      expect([operator, (seen.get(`"${operator}":`) ?? 0) > 20]).toEqual([operator, true]);
    }
  }, 120_000);

  it('give the same when they are explained, operator by operator', () => {
    fc.assert(
      fc.property(differentialCase, (sample) => explainedAlike(sample)),
      fuzzRun('explanations beside evaluations', 3_000),
    );
  }, 120_000);

  it('would not, if ours were another (control)', () => {
    const flag = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' } as const;
    const sample = (targeting: unknown, key = 'flag'): DifferentialCase => ({
      document: { $evaluators: {}, flags: { [key]: { ...flag, targeting } } },
      key,
      context: { targetingKey: 'ключ' },
      type: 'boolean',
    });
    expect(compare(sample({ if: [{ var: 'targetingKey' }, 'on'] }))).toBeNull();
    // the first of the exclusions, so that each stays an exclusion only as long as it has to
    const shares = Array.from({ length: 100 }, (_, i) => [i % 2 ? 'on' : 'off', 1]);
    const keys = Array.from({ length: 20 }, (_, i) => `ключ-${i}`);
    const differences = keys.map((key) => compare(sample({ fractional: [{ cat: [key] }, ...shares] })));
    expect(differences.some((difference) => difference !== null)).toBe(true);
    const inside = { some: [[1], { starts_with: [{ var: 'x' }, 'a'] }] };
    expect(compare(sample({ if: [inside, 'on', 'off'] }))?.theirs).toMatchObject({ errorCode: 'GENERAL' });
    expect(Object.keys(EXCLUSIONS)).toHaveLength(7);
  });
});
