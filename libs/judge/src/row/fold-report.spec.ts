import fc from 'fast-check';
import { beginPeriod, beginWatch, preRowOf } from './begin.js';
import { foldReport } from './fold-report.js';
import { type InstanceRow, type JudgedReport, openRow } from './instance-row.js';

const report = (seq: number, requests: number, more: Partial<JudgedReport> = {}): JudgedReport => ({
  instance: 'i',
  bootId: 'boot-a',
  seq,
  metrics: { counters: { requests }, gauges: {}, events: {} },
  ...more,
});
const fold = (reports: readonly (readonly [JudgedReport, number])[], from: InstanceRow = openRow('i')) =>
  reports.reduce((row, [each, at]) => foldReport(row, each, at), from);
const requests = (row: InstanceRow) => row.totals.counters.requests;

test('counters of one boot are differenced', () => {
  expect(
    requests(
      fold([
        [report(1, 10), 1],
        [report(2, 25), 2],
      ]),
    ),
  ).toBe(25);
});

test('a restart counts from zero and never becomes negative', () => {
  const restarted = report(1, 4, { bootId: 'boot-b' });
  expect(
    requests(
      fold([
        [report(1, 10), 1],
        [report(2, 25), 2],
        [restarted, 3],
      ]),
    ),
  ).toBe(29);
});

test('a value below the last one within a boot is a reset', () => {
  expect(
    requests(
      fold([
        [report(1, 10), 1],
        [report(2, 3), 2],
      ]),
    ),
  ).toBe(13);
});

test('workers that share an instance are told apart by their boots', () => {
  const other = (seq: number, n: number) => report(seq, n, { bootId: 'boot-b' });
  expect(
    requests(
      fold([
        [report(1, 10), 1],
        [other(1, 100), 1],
        [report(2, 20), 2],
        [other(2, 150), 2],
      ]),
    ),
  ).toBe(170);
});

test('a report that was seen changes nothing, nor does one that was overtaken', () => {
  const row = fold([
    [report(1, 10), 1],
    [report(3, 30), 3],
  ]);
  expect(foldReport(row, report(3, 30), 4)).toBe(row);
  expect(foldReport(row, report(2, 20), 4)).toBe(row);
});

test('duplicates and any order of arrival end in the same totals', () => {
  const delivered = fc.shuffledSubarray([1, 2, 3, 4, 5, 1, 3, 5], { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(delivered, (seqs) => {
      expect(requests(fold(seqs.map((seq, at) => [report(seq, seq * 10), at] as const)))).toBe(50);
    }),
  );
});

test('gauges add up readings, and logarithms only while there are some', () => {
  const gauge = (seq: number, sum: number, count: number, logSum?: number): JudgedReport =>
    report(seq, 0, {
      metrics: {
        counters: {},
        gauges: { memory: { sum, count, ...(logSum !== undefined && { logSum }) } },
        events: {},
      },
    });
  const row = fold([
    [gauge(1, 10, 2, 3), 1],
    [gauge(2, 16, 3, 4.5), 2],
    [gauge(3, 15, 4), 3],
  ]);
  expect(row.totals.gauges.memory).toEqual({ sum: 15, count: 4, logSum: 4.5, logCount: 3 });
});

test('a number that is none, or that no counter reaches, is left out until the next good one', () => {
  for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, -5, 1e300])
    expect(
      requests(
        fold([
          [report(1, 10), 1],
          [report(2, odd), 2],
          [report(3, 30), 3],
        ]),
      ),
    ).toBe(30);
});

test('a counter that one report leaves out goes on from where it was', () => {
  const silent = report(2, 0, { metrics: { counters: {}, gauges: {}, events: {} } });
  expect(
    requests(
      fold([
        [report(1, 10), 1],
        [silent, 2],
        [report(3, 30), 3],
      ]),
    ),
  ).toBe(30);
});

describe('a period', () => {
  const period = { startAt: 100, lengthsMs: [40, 80] };

  test('keeps the totals at its start and at the first report past each length', () => {
    const row = fold(
      [
        [report(1, 5), 99],
        [report(2, 10), 101],
        [report(3, 30), 139],
        [report(4, 35), 141],
        [report(5, 90), 183],
      ],
      beginPeriod(openRow('i'), period),
    );
    expect(row.period?.opened).toMatchObject({ at: 101, totals: { counters: { requests: 10 } } });
    expect(row.period?.closed.map(({ at }) => at)).toEqual([141, 183]);
    expect(preRowOf(row, 7)).toMatchObject({
      bucketPpm: 7,
      bakes: [{ counters: { requests: 25 } }, { counters: { requests: 55 } }],
    });
  });

  test('gives one that came late its full length', () => {
    const row = fold(
      [
        [report(1, 5), 130],
        [report(2, 10), 145],
        [report(3, 30), 171],
      ],
      beginPeriod(openRow('i'), period),
    );
    expect(row.period?.closed.map(({ at }) => at)).toEqual([171]);
  });

  test('that is a pre-period is read up to its last report, if that is past half of the second half', () => {
    const until = (at: number) =>
      fold(
        [
          [report(1, 5), 101],
          [report(2, 10), 145],
          [report(3, 30), at],
        ],
        beginPeriod(openRow('i'), period),
      );
    expect(preRowOf(until(160))?.bakes).toMatchObject([
      { counters: { requests: 5 } },
      { counters: { requests: 20 } },
    ]);
    expect(preRowOf(until(159))).toBeNull();
  });
});

describe('a watch', () => {
  const watched = beginWatch(openRow('i'), { since: 100, lostAfterMs: 30 });
  const crashed = (seq: number, bootId = 'boot-a') => report(seq, 0, { bootId, crash: { signature: 'x' } });

  test('keeps the first time of an event and forgets none', () => {
    const row = fold(
      [
        [report(1, 1), 110],
        [crashed(1, 'boot-b'), 120],
        [crashed(1, 'boot-c'), 130],
      ],
      watched,
    );
    expect(row.watch?.eventAt).toEqual({ crash: 120 });
  });

  test('does not see what happened before it began, even when it is told again', () => {
    const told = (seq: number) =>
      report(seq, 0, { metrics: { counters: {}, gauges: {}, events: { oom: 85 } } });
    expect(fold([[crashed(1), 90]], watched).watch?.eventAt).toEqual({});
    expect(
      fold(
        [
          [told(1), 90],
          [report(2, 0), 110],
          [told(3), 120],
        ],
        watched,
      ).watch?.eventAt,
    ).toEqual({});
    expect(
      fold(
        [
          [report(1, 0), 90],
          [told(2), 110],
        ],
        watched,
      ).watch?.eventAt,
    ).toEqual({ oom: 110 });
  });

  test('notes a silence from when it had lasted too long, also for one that came back', () => {
    const row = fold(
      [
        [report(1, 1), 110],
        [report(2, 2), 139],
        [report(3, 3), 170],
      ],
      watched,
    );
    expect(row.watch?.lostAt).toBe(169);
    expect(
      fold(
        [
          [report(1, 1), 110],
          [report(2, 2), 139],
          [report(3, 3), 169],
        ],
        watched,
      ).watch?.lostAt,
    ).toBeUndefined();
  });
});
