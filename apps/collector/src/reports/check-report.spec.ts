import { instanceReport } from '@headgate/contracts';
import fc from 'fast-check';
import { checkReport } from './check-report.js';

const whole = () => ({
  schema: 'headgate.report.v1',
  project: 'shop',
  channel: 'stable',
  instance: 'ab'.repeat(32),
  bootId: '0123456789abcdef'.repeat(2),
  seq: 3,
  version: { upstream: '25.1', vendor: '2.3', patches: ['cve-1'] },
  health: 'ok',
  flags: [{ name: 'new-path', value: 'on' }],
  metrics: {
    counters: { requests: 12, 'requests.failed': 0.5 },
    gauges: { rss: { sum: 10, count: 2, logSum: 3.1 }, queue: { sum: -4, count: 1 } },
    events: { oom: 1_780_000_000_000 },
  },
  exposures: [
    { flag: 'new-path', variant: 'on', count: 7 },
    { flag: 'new-path', count: 1 },
  ],
  unknownFlags: ['lost', 'a.b/c'],
  crash: { signature: 'TypeError at f', at: 3 },
  window: { startedAt: 1, endedAt: 2 },
});

type Path = readonly (string | number)[];

const pathsOf = (value: unknown, at: Path = []): Path[] =>
  typeof value === 'object' && value !== null
    ? [at, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...at, key]))]
    : [at];

/** The whole report with one place changed, removed, or given a neighbour. */
const mutate = (path: Path, how: 'replace' | 'remove' | 'add', value: unknown, name: string): unknown => {
  if (path.length === 0 && how === 'replace') return value;
  const report: unknown = whole();
  let parent = report as Record<string, unknown>;
  for (const key of path.slice(0, -1)) parent = parent[key as string] as Record<string, unknown>;
  const last = path.at(-1) as string | undefined;
  if (how === 'add') {
    const target = last === undefined ? parent : parent[last];
    if (typeof target !== 'object' || target === null) return report;
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  } else if (how === 'replace') parent[last as string] = value;
  else if (last !== undefined) delete parent[last];
  return report;
};

const edges = fc.constantFrom<unknown>(
  -1,
  0,
  0.5,
  -0,
  2 ** 53,
  1e300,
  '',
  'x',
  'X',
  'a'.repeat(64),
  'a'.repeat(101),
  'a'.repeat(501),
  'ab'.repeat(32),
  [],
  {},
  null,
  true,
  'ok',
  'on',
  [''],
  [{ name: 'a', value: 'b' }],
  [{ name: 'a b', value: 'b' }],
  { sum: 1, count: 1 },
);
const mutation = fc.record({
  path: fc.constantFrom(...pathsOf(whole())),
  how: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const),
  value: fc.oneof(edges, fc.jsonValue()),
  name: fc.oneof(
    fc.constantFrom('constructor', 'toString', 'vendor', 'signature', 'a.b', 'A', '9'),
    fc.string(),
  ),
});

describe('the check of a report by hand', () => {
  it('takes a whole report and a bare one', () => {
    const { metrics: _metrics, crash: _crash, ...bare } = whole();
    expect([checkReport(whole()), checkReport(bare)]).toEqual([null, null]);
  });

  it('says yes and no exactly where the schema does', () => {
    const tally = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 1 }), ([change]) => {
        const { path, how, value, name } = change!;
        const report = JSON.parse(JSON.stringify(mutate(path, how, value, name))) as unknown;
        const wrong = checkReport(report);
        expect({ wrong, isTaken: wrong === null }).toEqual({
          wrong,
          isTaken: instanceReport.safeParse(report).success,
        });
        tally[wrong === null ? 'taken' : 'refused'] += 1;
      }),
      { numRuns: 5_000 },
    );
    // Both answers must have been tried, or the property says nothing.
    expect(tally.taken).toBeGreaterThan(200);
    expect(tally.refused).toBeGreaterThan(1_000);
  });

  it.each([
    [{ seq: 0 }, 'seq: '],
    [{ bootId: 'x' }, 'bootId: '],
    [{ metrics: { counters: { requests: -1 } } }, 'metrics.counters.requests: '],
    [{ metrics: { counters: { Requests: 1 } } }, 'metrics.counters: "Requests"'],
    [{ metrics: { gauges: { rss: { sum: 1 } } } }, 'metrics.gauges.rss.count: '],
    [{ metrics: { events: { oom: 1.5 } } }, 'metrics.events.oom: '],
    [{ flags: [{ name: 'a', value: 'b' }, { name: 'a' }] }, 'flags[1].value: '],
    [{ exposures: [{ flag: 'a', count: 0 }] }, 'exposures[0].count: '],
    [{ exposures: [{ flag: 'a b', count: 1 }] }, 'exposures[0].flag: '],
    [{ exposures: [{ flag: 'a', variant: '', count: 1 }] }, 'exposures[0].variant: '],
    [{ exposures: [{ flag: 'a', count: 1, who: 'me' }] }, 'exposures[0]."who": '],
    [{ unknownFlags: ['a', 7] }, 'unknownFlags[1]: '],
    [{ version: {} }, 'version.upstream: '],
    [{ window: { startedAt: 1 } }, 'window.endedAt: '],
    [{ hostname: 'db-1' }, '"hostname": '],
    [{ window: undefined }, 'window: '],
  ])('names the field: %j', (change, start) => {
    expect(checkReport({ ...whole(), ...change })?.slice(0, start.length)).toBe(start);
  });

  it('refuses a name that would be dropped on the way through an object', () => {
    const text = JSON.stringify(whole()).replace('"requests":', '"__proto__":');
    expect(checkReport(JSON.parse(text))).toMatch(/^metrics.counters: "__proto__"/);
  });

  it('refuses text that some store could not hold, and more of anything than its limit', () => {
    const exposures = Array(2_001).fill({ flag: 'a', count: 1 });
    expect(checkReport({ ...whole(), exposures })).toBe('exposures: must be at most 2000');
    const unknownFlags = Array(101).fill('a');
    expect(checkReport({ ...whole(), unknownFlags })).toBe('unknownFlags: must be at most 100');
    expect(checkReport({ ...whole(), crash: { signature: 'a\u0000b' } })).toMatch(/^crash.signature/);
    expect(checkReport({ ...whole(), crash: { signature: 'a\ud800b' } })).toMatch(/^crash.signature/);
    const counters = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`c${i}`, 1]));
    expect(checkReport({ ...whole(), metrics: { counters } })).toMatch(
      /^metrics.counters: must be at most 500/,
    );
  });
});
