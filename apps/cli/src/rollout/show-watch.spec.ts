import type { LookView, RolloutView } from '@headgate/contracts';
import type { Session } from '../session.js';
import type { Output } from '../settings/settings.js';
import { terminalIn } from '../terminal.fixture.js';
import { drawRollout, palette } from './draw-rollout.js';
import { showWatch } from './show-watch.js';

const verdict = {
  id: 'v1',
  step: 0,
  at: 5_000,
  decision: 'promote' as const,
  code: 'judged',
  reasons: ['errors are within 5 %'],
  evidence: 0.4,
  threshold: 20,
  metrics: [],
  instances: { canary: 10, baseline: 90 },
  onInstanceHours: 1.25,
};
const rollout: RolloutView = {
  id: 'r1',
  project: 'web',
  channel: 'stable',
  flagId: 'f1',
  flagKey: 'new-parser',
  variant: 'on',
  status: 'baking',
  step: 1,
  weightPpm: 500_000,
  ladderPpm: [100_000, 500_000, 1_000_000],
  policy: {},
  metrics: [],
  plan: null,
  requestedAt: 0,
  endedAt: null,
  endReason: null,
  steps: [
    { step: 0, weightPpm: 100_000, enteredAt: 1_000, verdictId: null },
    { step: 1, weightPpm: 500_000, enteredAt: 6_000, verdictId: 'v1' },
  ],
  verdicts: [verdict],
  why: 'faster',
};
const look: LookView = {
  ...verdict,
  rolloutId: 'r1',
  step: 1,
  weightPpm: 500_000,
  decision: 'extend',
  code: 'leaning',
  evidence: 12_345_678,
};

const session = (
  output: Output,
  tty: { isTTY?: boolean; columns?: number } = {},
  env: Record<string, string> = {},
) => {
  const { terminal, out } = terminalIn('.', env);
  Object.assign(terminal.out, tty);
  return { watcher: showWatch({ terminal, settings: { output } } as unknown as Session), out };
};

describe('a drawn rollout', () => {
  it('says all in words: where it is, how it came here, what the judge saw', () => {
    expect(drawRollout(rollout, null, palette(false))).toEqual([
      'new-parser → on  web/stable rollout r1',
      'baking, step 2 of 3 at 50 %',
      '  ●     10 %  since 1970-01-01T00:00:01Z  promoted (judged)',
      '  ▶     50 %  since 1970-01-01T00:00:06Z',
      '  ○    100 %',
      'judge: promote (judged), evidence 0.4 of 20, 10 canary and 90 baseline instances, 1.25 instance hours on',
      '  - errors are within 5 %',
    ]);
  });

  it('lets nothing of the server steer the terminal', () => {
    const hostile = { ...rollout, flagKey: 'a\u001b[2Jb', endReason: 'x\u0007\r\ny' };
    expect(drawRollout(hostile, null, palette(false)).join('')).not.toMatch(/\p{Cc}/u);
  });
});

describe('a watched rollout', () => {
  it('is redrawn in place on a terminal, without touching what stands above', () => {
    const { watcher, out } = session('table', { isTTY: true, columns: 200 }, { NO_COLOR: '1' });
    watcher.onLook(look);
    expect(out()).toBe('');
    watcher.onRollout(rollout);
    const first = out();
    expect(first).not.toContain('\u001b');
    watcher.onLook(look);
    const second = out().slice(first.length);
    expect(second.startsWith(`\u001b[${first.trimEnd().split('\n').length}A\r\u001b[J`)).toBe(true);
    expect(second).toContain('extend (leaning), evidence 1.23e+7 of 20');
    expect(out()).not.toContain('\u001b[2J');
  });

  it('is coloured for people unless NO_COLOR is set', () => {
    const coloured = session('table', { isTTY: true });
    coloured.watcher.onRollout(rollout);
    expect(coloured.out()).toContain('\u001b[32m');
  });

  it('is one line per event elsewhere, and NDJSON when asked', () => {
    const lines = session('table');
    lines.watcher.onRollout(rollout);
    lines.watcher.onLook(look);
    expect(lines.out().split('\n')).toEqual([
      'rollout r1 baking step 2 50 %',
      expect.stringMatching(/^look step 2 extend \(leaning\), evidence/),
      '',
    ]);
    const json = session('json');
    json.watcher.onRollout(rollout);
    json.watcher.onLook(look);
    expect(
      json
        .out()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).event),
    ).toEqual(['rollout', 'look']);
  });
});
