import { createHash } from 'node:crypto';
import { judgePolicy, STREAMS, telemetrySubject } from '@headgate/contracts';
import { declareInstallation, type MemoryStreams, openMemoryStreams } from '@headgate/streams';
import { previewPlan } from './preview-plan.js';

const T0 = 1_780_000_000_000;
const HOUR = 3_600_000;
const METRICS = [
  {
    kind: 'ratio',
    name: 'errors',
    numerator: 'failed',
    denominator: 'requests',
    worse: 'up',
    tier: 'critical',
    margin: 0,
  },
] as const;

let now: number;
let streams: MemoryStreams;
beforeEach(async () => {
  now = T0;
  streams = openMemoryStreams({ now: () => now });
  await declareInstallation(streams, { now });
});

const digest = (kind: string, text: string): string => createHash(kind).update(text).digest('hex');

/** A fleet that has reported once an hour for so many hours, a tenth of it at a time. */
const reportFor = async (hours: number, size: number, channel = 'stable'): Promise<void> => {
  for (let tenth = 10; tenth < hours * 10; tenth++) {
    const round = Math.floor(tenth / 10);
    now = T0 + (tenth * HOUR) / 10;
    const reports = Array.from({ length: size }, (_, n) => n)
      .filter((n) => n % 10 === tenth % 10)
      .map((n) => ({
        instance: digest('sha256', `${n}`),
        bootId: digest('md5', `${n}`),
        seq: round,
        channel,
        metrics: { counters: { requests: 100 * round, failed: round } },
      }));
    const pack = { schema: 'headgate.telemetry-received.v1', receivedAt: now, reports };
    const data = Buffer.from(JSON.stringify(pack));
    await streams.publish(telemetrySubject('shop'), data, { expectStream: STREAMS.telemetry });
  }
};

const preview = async (policy: object) =>
  (await previewPlan(
    { streams, now: () => now },
    { project: 'shop', channel: 'stable', policy: judgePolicy.parse(policy), metrics: METRICS },
  )) as {
    fleetSize: number;
    mode: string;
    ladderPpm: readonly number[];
    explain: readonly string[];
    policy: { bakeMs: number };
  };

describe('the preview of a plan', () => {
  it('is made from what the fleet reported during the time of a pre-period until now', async () => {
    await reportFor(7, 250);
    const plan = await preview({ bakeMs: HOUR });
    expect(plan).toMatchObject({
      fleetSize: 250,
      mode: 'normal',
      ladderPpm: [50_000, 250_000, 500_000, 900_000],
    });
    expect(plan.explain[0]).toContain('250 instances');
  });

  it('takes the bake time that suits the fleet it finds', async () => {
    await reportFor(7, 250);
    expect((await preview({})).policy.bakeMs).toBe(HOUR);
  });

  it('lets a small fleet bake longer', async () => {
    await reportFor(7, 40);
    expect((await preview({})).policy.bakeMs).toBe(24 * HOUR);
  });

  it('plans by time alone where nobody reports', async () => {
    expect(await preview({})).toMatchObject({
      fleetSize: 0,
      mode: 'sparse',
      ladderPpm: [100_000, 500_000, 1_000_000],
    });
    await reportFor(6, 60, 'candidate');
    expect(await preview({ bakeMs: HOUR })).toMatchObject({ fleetSize: 0, mode: 'sparse' });
  });
});
