import { type AnalysisRecord, replayVerdict, sealRecord } from '@headgate/analysis';
import { judgePolicy } from '@headgate/contracts';
import { isRunning, type Rollout } from '@headgate/domain';
import { bucket } from '@headgate/evaluation';
import type { RunningService } from '@headgate/service-kit';
import { ReportingFleet } from '../support/reporting-fleet.js';
import { openTelemetrySite, type TelemetrySite } from '../support/telemetry-site.js';

const PROJECT = 'shop';
/** Fewer than ten reporters: nothing can be judged by numbers. */
const SIZE = 8;
const SIGNATURE = 'null in till';

let site: TelemetrySite;
let collector: RunningService;
let analysis: RunningService;
let reactor: RunningService;
const fleets: ReportingFleet[] = [];
let latest: readonly Rollout[] = [];

const send = (command: Parameters<TelemetrySite['store']['handle']>[0]) =>
  site.store.handle(command, { commandId: site.newId(), actor: 'spec' });

const readRollouts = async (): Promise<readonly Rollout[]> => {
  const { state } = await site.store.project(PROJECT);
  latest = [...state.rollouts.values()];
  return latest;
};

interface Story {
  readonly channel: string;
  readonly ladderPpm: readonly number[];
  /** What an instance's process crashed of before this report, if it did. */
  readonly crash?: (rollout: Rollout, isOn: boolean) => string | undefined;
}

/** A seed by which one to four of the instances are in the first step of 10 %: with eight, the hash may leave it empty. */
const seedFor = (fleet: ReportingFleet): string => {
  for (let n = 0; ; n++) {
    const ids = Array.from({ length: SIZE }, (_, k) => fleet.idOf(k));
    const low = ids.filter((id) => bucket(`seed ${n}`, id) < 100_000).length;
    const half = ids.filter((id) => bucket(`seed ${n}`, id) < 500_000).length;
    if (low >= 1 && low <= 4 && half >= 2 && half < SIZE) return `seed ${n}`;
  }
};

/** A channel with its own small fleet and a rollout: a crash of one concerns no other. */
const begin = async ({ channel, ladderPpm, crash }: Story): Promise<string> => {
  const [channelId, flagId, rolloutId] = [site.newId(), site.newId(), site.newId()];
  await send({
    type: 'create-channel',
    project: PROJECT,
    channelId,
    slug: channel,
    beatLifetimeMs: 86_400_000,
    why: 'spec',
  });
  await send({
    type: 'create-flag',
    project: PROJECT,
    flagId,
    channel,
    key: 'path',
    definition: {
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      overridable: 'none',
    },
    why: 'spec',
  });
  const own = (): Rollout | undefined => latest.find(({ id }) => id === rolloutId);
  const fleet = new ReportingFleet({
    size: SIZE,
    project: PROJECT,
    channel,
    url: `${collector.url}/telemetry/v1/reports`,
    token: site.token,
    seed: fleets.length + 1,
    everyMs: 500,
    splits: () => {
      const rollout = own();
      return rollout?.status === 'baking'
        ? [{ flag: 'path', seed: rollout.seed, weightPpm: rollout.weightPpm }]
        : [];
    },
    failureRate: () => 0.01,
    crash: (on) => {
      const rollout = own();
      return rollout && crash?.(rollout, on.has('path'));
    },
  });
  fleets.push(fleet);
  fleet.start();
  await send({
    type: 'request-rollout',
    project: PROJECT,
    rolloutId,
    channel,
    flagId,
    variant: 'on',
    seed: seedFor(fleet),
    policy: judgePolicy.parse({
      bakeMs: 1_000,
      maxBakeMs: 2_000,
      holdMaxMs: 4_000,
      sparseTimeMs: 3_000,
      firstSparseTimeMs: 3_000,
      lookEveryMs: 500,
      ladderPpm: [...ladderPpm],
    }),
    metrics: [],
    why: 'spec',
  });
  return rolloutId;
};

/** True once. */
const once = () => {
  let isSpent = false;
  return (isTime: boolean): boolean => {
    if (!isTime || isSpent) return false;
    isSpent = true;
    return true;
  };
};

const until = async (id: string, isSo: (rollout: Rollout) => boolean): Promise<Rollout> => {
  for (;;) {
    const rollout = (await readRollouts()).find((candidate) => candidate.id === id);
    if (rollout && isSo(rollout)) return rollout;
    if (rollout && !isRunning(rollout)) throw new Error(`ended ${rollout.status}: ${rollout.endReason}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const ended = (id: string): Promise<Rollout> => until(id, (rollout) => !isRunning(rollout));
const said = ({ verdicts }: Rollout): readonly string[] =>
  verdicts.map(({ step, decision, code }) => `${step} ${decision} ${code}`);
const isAt = (rollout: Rollout, weightPpm: number): boolean =>
  rollout.status === 'baking' && rollout.weightPpm === weightPpm;

beforeAll(async () => {
  site = await openTelemetrySite();
  await send({
    type: 'create-project',
    project: PROJECT,
    projectId: site.newId(),
    name: 'Shop',
    why: 'spec',
  });
  collector = await site.startCollector();
  analysis = await site.startAnalysis();
  reactor = await site.startRollouts();
}, 60_000);

afterAll(async () => {
  await Promise.all(fleets.map((fleet) => fleet.stop()));
  await reactor?.close();
  await site?.close();
}, 30_000);

describe('a fleet too small to judge goes by time and signals', () => {
  it('completes when nobody says anything, and says what silence shows', async () => {
    const rollout = await ended(await begin({ channel: 'quiet', ladderPpm: [100_000, 500_000, 1_000_000] }));
    expect(rollout.status).toBe('completed');
    const promotions = rollout.verdicts.filter(({ decision }) => decision === 'promote');
    expect(promotions.map(({ code }) => code)).toEqual(Array(3).fill('unjudged:no-reports'));
    for (const { reasons } of promotions) {
      expect(reasons.join(' ')).toContain('0 signals');
      expect(reasons.join(' ')).toContain('what silence shows: nothing, as ');
    }
  }, 90_000);

  it('rolls back at 10 % for one new crash signature of a canary', async () => {
    const isFirst = once();
    const crash: Story['crash'] = (rollout, isOn) =>
      isFirst(isOn && isAt(rollout, 100_000)) ? SIGNATURE : undefined;
    const rollout = await ended(
      await begin({ channel: 'crashing', ladderPpm: [100_000, 500_000, 1_000_000], crash }),
    );
    expect(rollout).toMatchObject({ status: 'rolled-back', step: 0, weightPpm: 100_000 });
    const last = rollout.verdicts.at(-1)!;
    expect(last).toMatchObject({ decision: 'roll-back', code: 'signal', signals: [{ kind: 'crash' }] });
    expect(last.reasons.join(' ')).toContain(SIGNATURE);
  }, 60_000);

  it('completes when the same signature was there in the pre-period', async () => {
    const [isFirst, isSecond] = [once(), once()];
    const crash: Story['crash'] = (rollout, isOn) =>
      isFirst(rollout.status === 'pre-period') || isSecond(isOn && isAt(rollout, 100_000))
        ? SIGNATURE
        : undefined;
    const rollout = await ended(await begin({ channel: 'known', ladderPpm: [100_000, 1_000_000], crash }));
    expect(isSecond(true)).toBe(false);
    expect(rollout.status).toBe('completed');
    expect(said(rollout).join()).not.toContain('signal');
  }, 60_000);

  it('holds once at 50 % for one site, through a restart of everything that judges, then promotes', async () => {
    const isFirst = once();
    const crash: Story['crash'] = (rollout, isOn) =>
      isFirst(isOn && isAt(rollout, 500_000)) ? SIGNATURE : undefined;
    const id = await begin({ channel: 'holding', ladderPpm: [500_000, 1_000_000], crash });
    await until(id, ({ verdicts }) => verdicts.at(-1)?.code === 'signal');
    await Promise.all([analysis.close(), reactor.close()]);
    [analysis, reactor] = await Promise.all([site.startAnalysis(), site.startRollouts()]);
    const rollout = await ended(id);
    expect(rollout.status).toBe('completed');
    const words = said(rollout);
    expect(words.filter((word) => word.endsWith('signal'))).toEqual(['0 hold signal']);
    expect(words.indexOf('0 promote unjudged:no-reports')).toBeGreaterThan(words.indexOf('0 hold signal'));
    const [first, second] = rollout.steps;
    // It was not left before the sparse time and the hold were over.
    expect(second!.enteredAt - first!.enteredAt).toBeGreaterThanOrEqual(7_000);
  }, 90_000);

  it('rolls back when a second site says so during the hold', async () => {
    const isFirst = once();
    const crash: Story['crash'] = (rollout, isOn) =>
      isFirst(isOn && isAt(rollout, 500_000)) ? SIGNATURE : undefined;
    const id = await begin({ channel: 'two-sites', ladderPpm: [500_000, 1_000_000], crash });
    await until(id, ({ verdicts }) => verdicts.at(-1)?.code === 'signal');
    const object = (name: string) =>
      send({
        type: 'raise-signal',
        project: PROJECT,
        rolloutId: id,
        signal: 'local-rollback',
        source: { kind: 'site', name },
        why: 'went back on our own',
      });
    // This site has spoken by its crash: its own objection makes it no second one.
    await object('local');
    await object('harbour');
    const rollout = await ended(id);
    expect(rollout).toMatchObject({ status: 'rolled-back', step: 0, weightPpm: 500_000 });
    const { signals, reasons } = rollout.verdicts.at(-1)!;
    expect(signals!.map(({ kind, source }) => [kind, source.name])).toEqual([
      ['crash', 'local'],
      ['local-rollback', 'local'],
      ['local-rollback', 'harbour'],
    ]);
    expect(reasons[0]).toContain('3 signals from 2 sources at 50 %');
  }, 60_000);

  it('makes every one of these verdicts again from TELEMETRY and the log, to the byte', async () => {
    const streams = await site.connect('analysis');
    let weighed = 0;
    for (const rollout of await readRollouts())
      for (const { look, signals } of rollout.verdicts) {
        const text = await site.archive.get(look.analysisDigest);
        const record = JSON.parse(text!) as AnalysisRecord;
        const again = await replayVerdict(streams, PROJECT, rollout, record.script);
        expect(again && sealRecord(again)).toEqual({ digest: look.analysisDigest, text });
        if (signals) weighed += 1;
      }
    expect(weighed).toBeGreaterThanOrEqual(4);
    expect(fleets.flatMap(({ problems }) => problems)).toEqual([]);
  }, 60_000);
});
