import fc from 'fast-check';
import { backoffMs, retryAfterMs } from './backoff.js';

describe('backoff', () => {
  const limits = { baseMs: 500, maxMs: 30_000 };

  it('is anywhere below a bound that doubles, and never above the maximum', () => {
    expect(backoffMs(0, limits, () => 0.999)).toBe(499);
    expect(backoffMs(3, limits, () => 0.5)).toBe(2_000);
    fc.assert(
      fc.property(
        fc.nat(10_000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, roll) => {
          const wait = backoffMs(attempt, limits, () => roll);
          return wait >= 0 && wait < limits.maxMs;
        },
      ),
    );
  });

  it.each<[string | undefined, number | null]>([
    [undefined, null],
    ['', null],
    ['3', 3_000],
    ['999999', 3_600_000],
    [new Date(1_700_000_005_000).toUTCString(), 5_000],
    [new Date(1_600_000_000_000).toUTCString(), 0],
    ['soon', null],
  ])('reads Retry-After %j as %j', (header, wait) => {
    expect(retryAfterMs(header, 1_700_000_000_000)).toBe(wait);
  });
});
