import { compileFlag } from '@headgate/evaluation';
import fc from 'fast-check';
import { lastMoment, nextMoment, timeMoments } from './time-moments.js';

const NOW = { var: '$flagd.timestamp' };
const T = 1_790_000_000;

/** As libs/domain compiles a ramp: from 0 to all, within 1,000 seconds. */
const ramp = (start: number, span: number) => {
  const passed = { max: [0, { min: [span, { '-': [NOW, start] }] }] };
  const exact = { '+': [0, { '*': [1_000_000, { '/': [passed, span] }] }] };
  const weight = { '-': [exact, { '%': [exact, 1] }] };
  return {
    fractional: [
      { cat: ['s', { var: 'targetingKey' }] },
      ['on', weight],
      ['off', { '-': [1_000_000, weight] }],
    ],
  };
};

describe('timeMoments', () => {
  it.each([
    ['no rule', undefined, { thresholds: [], ramps: [] }],
    [
      'a rule without the time',
      { if: [{ '>=': [{ var: 'age' }, T] }, 'on', null] },
      { thresholds: [], ramps: [] },
    ],
    [
      'a schedule',
      { if: [{ '>=': [NOW, T + 9.5] }, 'on', { '>=': [NOW, T] }, 'off', null] },
      { thresholds: [T, T + 10], ramps: [] },
    ],
    ['a moment after', { '>': [NOW, T] }, { thresholds: [T, T + 1], ramps: [] }],
    ['the time on the right', { '<=': [T, NOW] }, { thresholds: [T, T + 1], ramps: [] }],
    ['between two moments', { '<': [T, NOW, T + 5] }, { thresholds: [T, T + 1, T + 5, T + 6], ramps: [] }],
    ['one of our ramps, once', ramp(T + 0.5, 1_000), { thresholds: [], ramps: [{ from: T, to: T + 1_001 }] }],
    [
      'somebody’s own ramp',
      {
        fractional: [
          ['on', { '-': [NOW, T] }],
          ['off', { '-': [T + 100, NOW] }],
        ],
      },
      { thresholds: [], ramps: [{ from: T, to: T + 100 }] },
    ],
    [
      'a sum without ends',
      { '%': [NOW, 7] },
      { thresholds: [], ramps: [{ from: 0, to: Number.POSITIVE_INFINITY }] },
    ],
  ])('finds them in %s', (_, targeting, moments) => expect(timeMoments(targeting)).toEqual(moments));

  it('walks along a ramp in steps of a hundredth, or of a minute', () => {
    const moments = timeMoments(ramp(T, 100_000));
    expect([lastMoment(moments, T - 1), nextMoment(moments, T - 1)]).toEqual([null, T]);
    expect([lastMoment(moments, T + 1_500), nextMoment(moments, T + 1_500)]).toEqual([T + 1_000, T + 2_000]);
    expect([lastMoment(moments, T + 200_000), nextMoment(moments, T + 200_000)]).toEqual([T + 100_000, null]);
    expect(nextMoment(timeMoments(ramp(T, 90)), T + 70)).toBe(T + 90);
    expect(nextMoment(timeMoments({ '%': [NOW, 7] }), T + 10)).toBe(T + 400);
  });

  it('misses no moment of a rule that compares the time: between two of them the answer stays', () => {
    const second = fc.integer({ min: 0, max: 40 }).map((offset) => T + offset);
    const constant = fc.oneof(
      second,
      second.map((at) => at + 0.25),
    );
    const comparison = fc
      .tuple(fc.constantFrom('<', '<=', '>', '>=', '===', '!=='), constant, fc.boolean())
      .map(([operator, at, isLeft]) => ({ [operator]: isLeft ? [at, NOW] : [NOW, at] }));
    const rule = fc
      .array(comparison, { minLength: 1, maxLength: 4 })
      .map((comparisons) => ({ if: [...comparisons.flatMap((when, i) => [when, `v${i}`]), null] }));
    fc.assert(
      fc.property(rule, (targeting) => {
        const moments = timeMoments(targeting);
        const variants = { v0: 0, v1: 1, v2: 2, v3: 3 };
        let now = 0;
        const evaluate = compileFlag({ key: 'k', state: 'ENABLED', variants, targeting }, { now: () => now });
        const at = (from: number) => {
          now = from * 1_000;
          return evaluate({}).variant;
        };
        for (let from = T - 2; from < T + 45; from += 1) {
          if (at(from) === at(from + 1)) continue;
          expect(nextMoment(moments, from)).toBe(from + 1);
          expect(lastMoment(moments, from + 1)).toBe(from + 1);
        }
      }),
      { numRuns: 500 },
    );
  });
});
