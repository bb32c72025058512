import { heartbeatLost } from '../metric.js';
import { planRollout } from '../plan/plan-rollout.js';
import type { PlannedMetric, RolloutPlan } from '../plan/rollout-plan.js';
import { completePolicy, type JudgePolicy } from '../policy.js';
import type { PreRow } from '../row/pre-row.js';
import { decide, type Situation } from './decide.js';
import { OWN_SITE, type Signal } from './signal.js';
import { weighSignals } from './weigh-signals.js';

const preRows = (size: number): readonly PreRow[] =>
  Array.from({ length: size }, (_, i) => ({
    instance: `i${String(i).padStart(5, '0')}`,
    bakes: [0, 1].map((half) => ({
      counters: { requests: 100, errors: (i + half) % 4 },
      gauges: {},
    })),
  }));

const bake: Partial<JudgePolicy> = {
  bakeMs: 1000,
  warmUpMs: 100,
  reportMs: 100,
  maxBakeMs: 2000,
  holdMaxMs: 3000,
  sparseTimeMs: 10_000,
  firstSparseTimeMs: 20_000,
};
const planFor = (size: number, policy: Partial<JudgePolicy> = {}): RolloutPlan =>
  planRollout({
    preRows: preRows(size),
    metrics: [
      {
        kind: 'ratio',
        name: 'errors',
        tier: 'critical',
        margin: 0,
        safeMargin: 0.5,
        numerator: 'errors',
        denominator: 'requests',
        worse: 'up',
      },
    ],
    policy: completePolicy({ ...bake, ...policy }, size),
    orderSalt: 'order',
  });

const fleet = planFor(400);
const atHalf = fleet.steps.findIndex(({ isProofDue }) => isProofDue);
const full = { canary: 200, baseline: 200, finished1: 200, finished0: 200, expected1: 200, expected0: 200 };
const quiet = { lnE: new Float64Array(2), lnSafe: new Float64Array(2), lnEBar: 0, strictExcess: -9 };

/** A step at 25 %, its bake over, everybody heard, nothing found. */
const situation = (changes: Partial<Situation> = {}): Situation => ({
  plan: fleet,
  step: 1,
  elapsedMs: 1250,
  reporters: full,
  limits: [],
  averages: quiet,
  srm: 1,
  signals: [],
  signalWeight: { heed: 'none', sources: 0 },
  ...changes,
});
const verdict = (changes: Partial<Situation> = {}) => {
  const { decision, code } = decide(situation(changes));
  return [decision, code];
};
const withDue = (plan: RolloutPlan): RolloutPlan => ({
  ...plan,
  metrics: plan.metrics.map(
    (metric): PlannedMetric => ({ ...metric, isDue: metric.definition.name === 'errors' }),
  ),
});
const due = { plan: withDue(fleet), step: atHalf };

test('nothing found, bake over, everybody heard: promote as judged', () => {
  expect(verdict()).toEqual(['promote', 'judged']);
});

test('before the bake is over and reported: wait', () => {
  expect(verdict({ elapsedMs: 1249 })).toEqual(['wait', 'baking']);
});

describe('evidence', () => {
  const at = (lnEBar: number) => ({ averages: { ...quiet, lnEBar } });

  test('of 1/α rolls back, at any time; just less does not', () => {
    expect(verdict({ ...at(Math.log(20)), elapsedMs: 1 })).toEqual(['roll-back', 'worse']);
    expect(verdict({ ...at(Math.log(19.99)), elapsedMs: 1 })).toEqual(['wait', 'baking']);
  });

  test('of 3 leans and extends the bake, once; of less it does not; out of time it does not block', () => {
    expect(verdict(at(Math.log(3)))).toEqual(['extend', 'leaning']);
    expect(verdict(at(Math.log(2.99)))).toEqual(['promote', 'judged']);
    expect(verdict({ ...at(Math.log(3)), elapsedMs: 2100 })).toEqual(['promote', 'judged']);
  });

  test('under the strict rule is what one metric alone can say', () => {
    const strict = { plan: planFor(400, { rollbackRule: 'strict' }) };
    expect(verdict({ ...strict, ...at(Math.log(25)) })).toEqual(['extend', 'leaning']);
    expect(verdict({ ...strict, averages: { ...quiet, strictExcess: 0 } })).toEqual(['roll-back', 'worse']);
  });

  test('against what must not be undone stops it where it is', () => {
    expect(verdict({ plan: planFor(400, { irreversible: true }), ...at(Math.log(20)) })).toEqual([
      'stop',
      'worse',
    ]);
  });
});

test('a hard limit rolls back at its second look in a row, not at its first', () => {
  const limit = (streak: number) => ({ limits: [{ streak, sentence: 'x' }], elapsedMs: 1 });
  expect(verdict(limit(2))).toEqual(['roll-back', 'limit']);
  expect(verdict(limit(1))).toEqual(['wait', 'baking']);
});

test('a broken split holds, and rolls back when the hold is over', () => {
  expect(verdict({ srm: 1000 })).toEqual(['hold', 'srm']);
  expect(verdict({ srm: 1000, elapsedMs: 5100 })).toEqual(['roll-back', 'srm']);
  expect(verdict({ srm: 999 })).toEqual(['promote', 'judged']);
});

describe('proof', () => {
  test('that is due extends, holds, then rolls back', () => {
    expect(verdict(due)).toEqual(['extend', 'not-proven-yet']);
    expect(verdict({ ...due, elapsedMs: 2100 })).toEqual(['hold', 'unproven']);
    expect(verdict({ ...due, elapsedMs: 5100 })).toEqual(['roll-back', 'unproven']);
  });

  test('that is due promotes in the end where the policy says so', () => {
    const lenient = { ...due, plan: withDue(planFor(400, { onUnproven: 'promote' })) };
    expect(verdict({ ...lenient, elapsedMs: 5100 })).toEqual(['promote', 'unproven']);
  });

  test('that was brought promotes, and is named', () => {
    const proven = { ...due, averages: { ...quiet, lnSafe: Float64Array.of(Math.log(20), 0) } };
    expect(verdict(proven)).toEqual(['promote', 'judged']);
    expect(decide(situation(proven)).proven).toEqual(['errors']);
  });

  test('is not asked for at another step, nor of a step with hardly anybody', () => {
    expect(verdict({ ...due, step: 1 })).toEqual(['promote', 'judged']);
    const tiny = { ...full, canary: 4, finished1: 4, expected1: 4 };
    expect(verdict({ ...due, reporters: tiny })).toEqual(['promote', 'unjudged:too-small']);
  });
});

describe('reports', () => {
  test('that are late extend, once', () => {
    const late = { reporters: { ...full, finished1: 179 } };
    expect(verdict(late)).toEqual(['extend', 'late']);
    expect(verdict({ ...late, elapsedMs: 2100 })).toEqual(['promote', 'judged']);
    expect(verdict({ reporters: { ...full, finished1: 180 } })).toEqual(['promote', 'judged']);
  });

  test('that are missing wait for the sparse time, then promote as unjudged', () => {
    const silent = { reporters: { ...full, canary: 4, finished1: 4 } };
    expect(verdict(silent)).toEqual(['wait', 'sparse']);
    expect(verdict({ ...silent, elapsedMs: 10_000 })).toEqual(['promote', 'unjudged:no-reports']);
    expect(verdict({ ...silent, step: 0, elapsedMs: 19_999 })).toEqual(['wait', 'sparse']);
  });

  test('of a fleet that hardly reports are sparse at every step', () => {
    const plan = planFor(9);
    expect(verdict({ plan, step: 0 })).toEqual(['wait', 'sparse']);
    expect(verdict({ plan, step: 0, elapsedMs: 20_000 })).toEqual(['promote', 'unjudged:no-reports']);
  });
});

describe('signals', () => {
  const sparse = planFor(9, { ladderPpm: [100_000, 500_000, 1_000_000] });
  const signal = (name: string, changes: Partial<Signal> = {}): Signal => ({
    kind: 'objection',
    source: name === 'local' ? OWN_SITE : { kind: 'site', name },
    at: 1_000,
    detail: 'the till stays shut',
    ...changes,
  });
  const vendors = signal('acme', { source: { kind: 'vendor', name: 'acme' } });
  /** With these signals known, the step before having been looked at last at `formerLookAt`. */
  const known = (
    signals: readonly Signal[],
    { formerLookAt = 0, ...changes }: Partial<Situation> & { formerLookAt?: number } = {},
  ) => {
    const { plan = sparse, step = 1 } = changes;
    const signalWeight = weighSignals(plan, step, signals, formerLookAt);
    return verdict({ plan, step, elapsedMs: 1, signals, signalWeight, ...changes });
  };

  test('one is enough at 10 % and below, whatever its kind; none is not', () => {
    for (const kind of ['crash', 'objection', 'local-rollback', 'limit'] as const)
      expect(known([signal('local', { kind })], { step: 0 })).toEqual(['roll-back', 'signal']);
    expect(known([], { step: 0 })).toEqual(['wait', 'baking']);
  });

  test('one above 10 % holds until the hold is over, and then promotes if it stayed the only one', () => {
    const one = [signal('local')];
    expect(known(one)).toEqual(['hold', 'signal']);
    expect(known(one, { elapsedMs: 12_999 })).toEqual(['hold', 'signal']);
    expect(known(one, { elapsedMs: 13_000 })).toEqual(['promote', 'unjudged:no-reports']);
    expect(known([], { elapsedMs: 10_000 })).toEqual(['promote', 'unjudged:no-reports']);
  });

  test('one that was known at the last look of the step before has held its step, and holds no other', () => {
    expect(known([signal('local')], { step: 2, formerLookAt: 999 })).toEqual(['hold', 'signal']);
    expect(known([signal('local')], { step: 2, formerLookAt: 1_000 })).toEqual(['wait', 'baking']);
  });

  test('two of two sites are enough later, also when the first has held its step; two of one site are one', () => {
    expect(known([signal('local'), signal('lab')])).toEqual(['roll-back', 'signal']);
    expect(known([signal('local'), signal('lab', { at: 9 })], { step: 2, formerLookAt: 1_000 })).toEqual([
      'roll-back',
      'signal',
    ]);
    expect(known([signal('local'), signal('local', { kind: 'crash' })])).toEqual(['hold', 'signal']);
  });

  test('of one enrolled vendor are enough at any weight', () => {
    expect(known([vendors], { step: 2 })).toEqual(['roll-back', 'signal']);
  });

  test('against what must not be undone stop it where it is', () => {
    const plan = planFor(9, { irreversible: true });
    expect(known([vendors], { plan })).toEqual(['stop', 'signal']);
  });

  test('decide nothing where reports do', () => {
    const enough = [signal('local'), signal('lab'), vendors];
    expect(known(enough, { plan: fleet, elapsedMs: 1 })).toEqual(['wait', 'baking']);
    expect(known(enough, { plan: fleet, elapsedMs: 1250 })).toEqual(['promote', 'judged']);
  });

  test('decide in a fleet that reports as soon as hardly anybody does, which is known when the bake is over', () => {
    const silent = { plan: fleet, reporters: { ...full, canary: 4, finished1: 4 } };
    expect(known([vendors], { ...silent, elapsedMs: 1249 })).toEqual(['wait', 'baking']);
    expect(known([vendors], { ...silent, elapsedMs: 1250 })).toEqual(['roll-back', 'signal']);
  });

  test('decide at once in an arm that is too small however many report', () => {
    const tiny = { plan: fleet, reporters: { ...full, canary: 4, finished1: 4, expected1: 4 } };
    expect(known([vendors], tiny)).toEqual(['roll-back', 'signal']);
    expect(known([vendors], { plan: fleet, reporters: full })).toEqual(['wait', 'baking']);
  });

  test('are second to proof: evidence and limits name the verdict', () => {
    const averages = { ...quiet, lnEBar: Math.log(20) };
    expect(known([vendors], { averages })).toEqual(['roll-back', 'worse']);
    expect(known([vendors], { limits: [{ streak: 2, sentence: 'x' }] })).toEqual(['roll-back', 'limit']);
  });
});

describe('unjudged', () => {
  test('a last step without a hold-back', () => {
    const plan = planFor(100);
    const alone = { ...full, baseline: 0, finished0: 0, expected0: 0 };
    expect(verdict({ plan, step: plan.steps.length - 1, reporters: alone })).toEqual([
      'promote',
      'unjudged:no-hold-back',
    ]);
  });

  test('a step at which no critical metric can be decided', () => {
    const small = planFor(12);
    expect(small.steps.map(({ isJudgeable }) => isJudgeable)).toEqual([false, true, false]);
    expect(verdict({ plan: small, step: 0 })).toEqual(['promote', 'unjudged:too-small']);
    expect(verdict({ plan: small, step: 1, averages: { ...quiet, lnSafe: Float64Array.of(9, 9) } })).toEqual([
      'promote',
      'judged',
    ]);
  });
});

test('a step ends by itself whatever is wrong with it: no situation waits for ever', () => {
  const lastMs = Math.max(100 + 2000, 20_000) + 3000;
  for (const step of [0, 1, atHalf]) {
    for (const srm of [1, 5000]) {
      for (const lnEBar of [0, 2, 9]) {
        for (const canary of [0, 4, 200]) {
          const stuck = {
            ...due,
            signalWeight: { heed: 'alone', sources: 1 } as const,
            step,
            srm,
            averages: { ...quiet, lnEBar },
            reporters: { ...full, canary, finished1: 0 },
          };
          const [decision] = verdict({ ...stuck, elapsedMs: lastMs });
          expect(['promote', 'roll-back', 'stop']).toContain(decision);
        }
      }
    }
  }
});

test('the heartbeat is always among the metrics, and critical', () => {
  expect(fleet.metrics.map(({ definition }) => definition)).toContainEqual(heartbeatLost);
});
