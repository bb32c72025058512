import { type AnalysisRecord, replayVerdict, sealRecord } from '@headgate/analysis';
import type { JudgePolicy, MetricDefinition } from '@headgate/contracts';
import { judgePolicy } from '@headgate/contracts';
import { isRunning, type Rollout } from '@headgate/domain';
import type { RunningService } from '@headgate/service-kit';
import { ReportingFleet } from '../support/reporting-fleet.js';
import { openTelemetrySite, type TelemetrySite } from '../support/telemetry-site.js';

const PROJECT = 'shop';
const CHANNEL = 'stable';
const FLEET_SIZE = 300;
/** The default policy at 2 s for an hour. */
const POLICY: JudgePolicy = judgePolicy.parse({
  bakeMs: 2_000,
  maxBakeMs: 4_000,
  holdMaxMs: 4_000,
  sparseTimeMs: 4_000,
  firstSparseTimeMs: 4_000,
  lookEveryMs: 500,
});
const METRICS: readonly MetricDefinition[] = [
  {
    kind: 'ratio',
    name: 'errors',
    numerator: 'failed',
    denominator: 'requests',
    worse: 'up',
    tier: 'critical',
    margin: 0,
  },
];

let site: TelemetrySite;
let fleet: ReportingFleet;
let collector: RunningService;
let analysis: RunningService;
let reactor: RunningService;
const rollouts = new Map<string, string>();
let latest: readonly Rollout[] = [];

const send = (command: Parameters<TelemetrySite['store']['handle']>[0]) =>
  site.store.handle(command, { commandId: site.newId(), actor: 'spec' });

const readRollouts = async (): Promise<readonly Rollout[]> => {
  const { state } = await site.store.project(PROJECT);
  latest = [...state.rollouts.values()];
  return latest;
};

const startRollout = async (key: string): Promise<string> => {
  const flagId = site.newId();
  const rolloutId = site.newId();
  const definition = {
    state: 'ENABLED' as const,
    variants: { on: true, off: false },
    defaultVariant: 'off',
    overridable: 'none' as const,
  };
  await send({
    type: 'create-flag',
    project: PROJECT,
    flagId,
    channel: CHANNEL,
    key,
    definition,
    why: 'spec',
  });
  await send({
    type: 'request-rollout',
    project: PROJECT,
    rolloutId,
    channel: CHANNEL,
    flagId,
    variant: 'on',
    seed: `${key} seed 1`,
    policy: POLICY,
    metrics: METRICS,
    why: 'spec',
  });
  rollouts.set(rolloutId, key);
  return rolloutId;
};

const ended = async (id: string): Promise<Rollout> => {
  for (;;) {
    const rollout = (await readRollouts()).find((candidate) => candidate.id === id);
    if (rollout && !isRunning(rollout)) return rollout;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
};

beforeAll(async () => {
  site = await openTelemetrySite();
  await send({
    type: 'create-project',
    project: PROJECT,
    projectId: site.newId(),
    name: 'Shop',
    why: 'spec',
  });
  await send({
    type: 'create-channel',
    project: PROJECT,
    channelId: site.newId(),
    slug: CHANNEL,
    beatLifetimeMs: 86_400_000,
    why: 'spec',
  });
  collector = await site.startCollector();
  analysis = await site.startAnalysis();
  reactor = await site.startRollouts();
  fleet = new ReportingFleet({
    size: FLEET_SIZE,
    project: PROJECT,
    channel: CHANNEL,
    url: `${collector.url}/telemetry/v1/reports`,
    token: site.token,
    seed: 7,
    everyMs: 1_000,
    splits: () =>
      latest.flatMap((rollout) =>
        rollout.status === 'baking'
          ? [{ flag: rollouts.get(rollout.id)!, seed: rollout.seed, weightPpm: rollout.weightPpm }]
          : [],
      ),
    failureRate: (on) => (on.has('broken-path') ? 0.25 : 0.01),
  });
  fleet.start();
}, 60_000);

afterAll(async () => {
  await fleet?.stop();
  await site?.close();
}, 30_000);

describe('reports become verdicts become steps', () => {
  it('completes a good rollout and rolls a bad one back, with nobody there', async () => {
    const good = await startRollout('good-path');
    const bad = await startRollout('broken-path');
    const [completed, rolledBack] = await Promise.all([ended(good), ended(bad)]);
    expect({
      good: completed.status,
      bad: rolledBack.status,
      why: completed.status === 'completed' ? '' : completed,
    }).toEqual({
      good: 'completed',
      bad: 'rolled-back',
      why: '',
    });
    // One step after the other, each once, each by a verdict of the step before.
    expect(completed.steps.map(({ step, weightPpm }) => [step, weightPpm])).toEqual(
      completed.planned!.ladderPpm.map((weightPpm, step) => [step, weightPpm]),
    );
    for (const { step, verdictId } of completed.steps.slice(1)) {
      const verdict = completed.verdicts.find(({ id }) => id === verdictId);
      expect({ decision: verdict?.decision, step: verdict?.step }).toEqual({
        decision: 'promote',
        step: step - 1,
      });
    }
    const last = rolledBack.verdicts.at(-1)!;
    expect({ decision: last.decision, code: last.code }).toEqual({ decision: 'roll-back', code: 'worse' });
    expect(last.evidence).toBeGreaterThanOrEqual(last.threshold);
    expect(last.onInstanceHours).toBeGreaterThan(0);
    expect(fleet.problems).toEqual([]);
  }, 120_000);

  it('goes on in the middle of a step when analysis and reactor are replaced, and two say nothing twice', async () => {
    const id = await startRollout('good-path-again');
    const bakingAt = (step: number) => async (): Promise<boolean> => {
      const rollout = (await readRollouts()).find((candidate) => candidate.id === id);
      return rollout?.status === 'baking' && rollout.step >= step;
    };
    await until(bakingAt(0));
    const second = await site.startAnalysis();
    await until(bakingAt(1));
    await Promise.all([analysis.close(), reactor.close()]);
    reactor = await site.startRollouts();
    await until(bakingAt(2));
    // For a while nobody judges at all.
    await second.close();
    const { verdicts: before } = (await readRollouts()).find((candidate) => candidate.id === id)!;
    const heard = fleet.accepted;
    await until(async () => fleet.accepted > heard + 2 * FLEET_SIZE);
    analysis = await site.startAnalysis();
    const rollout = await ended(id);
    expect(rollout.status).toBe('completed');
    expect(rollout.steps.map(({ step }) => step)).toEqual(rollout.planned!.ladderPpm.map((_, step) => step));
    expect(rollout.verdicts.length).toBeGreaterThan(before.length);
    // A verdict is given when it changed: of two analyses and three lives, none repeated what stood already.
    for (const [k, { step, decision, code }] of rollout.verdicts.entries()) {
      const former = rollout.verdicts[k - 1];
      if (former?.step === step) expect([decision, code]).not.toEqual([former.decision, former.code]);
    }
  }, 120_000);

  it('makes every verdict again from TELEMETRY, to the byte', async () => {
    const streams = await site.connect('analysis');
    let verdicts = 0;
    for (const rollout of await readRollouts())
      for (const { look, decision } of rollout.verdicts) {
        if (decision === 'wait') continue;
        const text = await site.archive.get(look.analysisDigest);
        expect(text).not.toBeNull();
        const record = JSON.parse(text!) as AnalysisRecord;
        const again = await replayVerdict(streams, PROJECT, rollout, record.script);
        expect(again && sealRecord(again)).toEqual({ digest: look.analysisDigest, text });
        expect(record.script.acts.at(-1)).toEqual({
          kind: 'look',
          at: look.at,
          after: look.telemetrySequence,
        });
        verdicts += 1;
      }
    expect(verdicts).toBeGreaterThan(5);
  }, 60_000);
});
