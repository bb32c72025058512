import { UsageCounter } from './usage.js';

describe('UsageCounter', () => {
  it('counts by flag, variant and kind, and knows when the last was', () => {
    let now = 5;
    const usage = new UsageCounter(() => now);
    usage.count('shop', 'stable', 'a', 'on');
    usage.count('shop', 'stable', 'a', 'on');
    now = 7;
    usage.count('shop', 'stable', 'a', null);
    usage.count('shop', 'stable', 'a', 'on', 'listed');
    expect([...usage.read()]).toEqual([
      { project: 'shop', channel: 'stable', key: 'a', kind: 'asked', counts: { on: 2, '': 1 }, lastAt: 7 },
      { project: 'shop', channel: 'stable', key: 'a', kind: 'listed', counts: { on: 1 }, lastAt: 7 },
    ]);
  });

  it('is not filled by callers who make up keys', () => {
    const usage = new UsageCounter(() => 1);
    for (let i = 0; i < 1_500; i += 1) usage.count('shop', 'stable', `made-up-${i}`, null, 'unknown');
    usage.count('shop', 'stable', 'x'.repeat(201), null, 'unknown');
    usage.count('shop', 'stable', 'real', 'on');
    const rows = [...usage.read()];
    expect(rows.filter(({ kind }) => kind === 'unknown')).toHaveLength(1_000);
    expect(rows.filter(({ kind }) => kind === 'asked')).toHaveLength(1);
    expect(usage.leftOut).toBe(501);
  });
});
