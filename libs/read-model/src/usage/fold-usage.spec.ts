import fc from 'fast-check';
import { type Boot, foldUsage } from './fold-usage.js';
import type { UsageReport } from './usage-report.js';

const report = (
  seq: number,
  counts: Record<string, number>,
  more: Partial<UsageReport> = {},
): UsageReport => ({
  project: 'shop',
  channel: 'stable',
  instance: 'ab'.repeat(32),
  bootId: 'cd'.repeat(16),
  seq,
  at: 1_000 + seq,
  served: Object.entries(counts).map(([variant, count]) => ({
    source: 'instance',
    flag: 'new-path',
    variant,
    count,
  })),
  unknownFlags: [],
  ...more,
});
const none: ReadonlyMap<string, Boot> = new Map();
const countsOf = (reports: readonly UsageReport[], known = none): Record<string, number> =>
  Object.fromEntries([...foldUsage(known, reports).served.values()].map((one) => [one.variant, one.count]));
const bootsAfter = (reports: readonly UsageReport[]): ReadonlyMap<string, Boot> =>
  new Map([...foldUsage(none, reports).boots].map(([id, { boot }]) => [id, boot]));

describe('what reports add to the use of flags', () => {
  it('is the difference to what the process said last', () => {
    expect(countsOf([report(1, { on: 5 }), report(2, { on: 8, off: 1 })])).toEqual({ on: 8, off: 1 });
    expect(countsOf([report(2, { on: 8, off: 1 })], bootsAfter([report(1, { on: 5 })]))).toEqual({
      on: 3,
      off: 1,
    });
  });

  it('is nothing when the report was seen, or a later one of its process was', () => {
    const known = bootsAfter([report(1, { on: 5 }), report(2, { on: 8 })]);
    expect(countsOf([report(2, { on: 8 }), report(1, { on: 5 })], known)).toEqual({});
    expect(foldUsage(known, [report(1, { on: 5 }, { unknownFlags: ['lost'] })]).unknown.size).toBe(0);
  });

  it('counts a total that fell from zero, and every process by itself', () => {
    expect(countsOf([report(1, { on: 5 }), report(2, { on: 2 })])).toEqual({ on: 7 });
    const other = { bootId: 'ef'.repeat(16) };
    expect(countsOf([report(1, { on: 5 }), report(1, { on: 5 }, other)])).toEqual({ on: 10 });
  });

  it('keeps a total that a report leaves out', () => {
    expect(countsOf([report(1, { on: 5 }), report(2, {}), report(3, { on: 6 })])).toEqual({ on: 6 });
  });

  it('takes names of variants as they come', () => {
    const odd = { constructor: 1, toString: 2, 'a\nb': 3 };
    expect(countsOf([report(1, odd)])).toEqual(odd);
  });

  it('bounds what one process can name, and says how much found no room', () => {
    const served = Array.from({ length: 20_010 }, (_, n) => ({
      source: 'instance' as const,
      flag: `f${n}`,
      variant: 'on',
      count: 1,
    }));
    const rise = foldUsage(none, [report(1, {}, { served })]);
    expect([rise.served.size, [...rise.left.values()]]).toEqual([20_000, [10]]);
  });

  it('is the newest totals, in whatever order and however often reports come, and wherever the batches end', () => {
    const deliveries = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(deliveries, fc.nat({ max: 40 }), (order, cut) => {
        const reports = order.map((seq) => report(seq, { on: 3 * seq }));
        const first = reports.slice(0, cut);
        const counted = (countsOf(first).on ?? 0) + (countsOf(reports.slice(cut), bootsAfter(first)).on ?? 0);
        expect(counted).toBe(3 * Math.max(...order));
      }),
    );
  });
});
