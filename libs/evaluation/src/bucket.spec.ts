import fc from 'fast-check';
import { bucket, scaleHash, WEIGHT_TOTAL } from './bucket.js';
import { compileFlag } from './compile-flag.js';

describe('bucket', () => {
  it('scales as (uint64(hash) * total) >> 32 does, for every total flagd allows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.integer({ min: 0, max: 0x7fffffff }),
        (hash, total) => scaleHash(hash, total) === Number((BigInt(hash) * BigInt(total)) >> 32n),
      ),
      { numRuns: 2_000 },
    );
  });

  it('spreads keys evenly: chi-squared of 20 cells over 40,000 keys stays below its 1e-6 quantile', () => {
    const cells = new Array<number>(20).fill(0);
    const keys = 40_000;
    for (let i = 0; i < keys; i += 1) cells[Math.floor(bucket('seed', `instance-${i}`) / 50_000)]! += 1;
    const expected = keys / cells.length;
    const chiSquared = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquared).toBeLessThan(64.8);
  });

  it('gives another order of instances for another seed', () => {
    const order = (seed: string) =>
      Array.from({ length: 50 }, (_, i) => i).sort((a, b) => bucket(seed, `k${a}`) - bucket(seed, `k${b}`));
    expect(order('one')).not.toEqual(order('two'));
  });

  it('is the rule by which a rollout serves its variant, and raising the weight never removes a member', () => {
    const served = (weightPpm: number, targetingKey: string) =>
      compileFlag({
        key: 'path',
        state: 'ENABLED',
        variants: { on: true, off: false },
        defaultVariant: 'off',
        targeting: {
          fractional: [
            { cat: ['seed-1', { var: 'targetingKey' }] },
            ['on', weightPpm],
            ['off', WEIGHT_TOTAL - weightPpm],
          ],
        },
      })({ targetingKey });
    const weight = fc.integer({ min: 0, max: WEIGHT_TOTAL });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), weight, weight, (key, one, other) => {
        const [low, high] = one < other ? [one, other] : [other, one];
        const isOn = (weightPpm: number) => {
          const { variant, reason } = served(weightPpm, key);
          expect(reason).toBe('SPLIT');
          expect(variant).toBe(bucket('seed-1', key) < weightPpm ? 'on' : 'off');
          return variant === 'on';
        };
        return !isOn(low) || isOn(high);
      }),
      { numRuns: 500 },
    );
  });

  it('removes members when every weight draws anew (control)', () => {
    const members = (seed: string, weightPpm: number) =>
      Array.from({ length: 500 }, (_, i) => `k${i}`).filter((key) => bucket(seed, key) < weightPpm);
    const removed = (low: readonly string[], high: readonly string[]) =>
      low.filter((key) => !high.includes(key)).length;
    expect(removed(members('one', 300_000), members('one', 500_000))).toBe(0);
    expect(removed(members('one', 300_000), members('two', 500_000))).toBeGreaterThan(0);
  });
});
