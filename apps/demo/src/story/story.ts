import type { ChannelState } from '@headgate/contracts';
import { headDigest } from '@headgate/trust';
import { PRICING_FLAG, READER_FLAG } from '../fleet/instance.js';
import type { Screen } from '../screen/screen.js';
import { type Fleet, type Load, startFleet, startLoad } from './fleet.js';
import { type Installation, startInstallation } from './installation.js';
import { throwKill } from './kill-act.js';
import { type DemoResult, judgeStory, resultOf } from './result.js';
import { runRollout } from './rollout-act.js';
import { prepareProject, proposePlan } from './scene.js';
import { CHANNEL, FLEET, PROJECT, REPORT_EVERY_MS, TIMES } from './settings.js';

export interface StoryOptions {
  readonly dataDir: string;
  /** The bad path is announced as the good one: the story must then end badly. */
  readonly isSwapped: boolean;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

const LOAD_SEED = 20_261_121;

/** The whole main job on real parts. Everything started here is stopped here, however it ends. */
export const runStory = async (
  options: StoryOptions,
): Promise<{ result: DemoResult; failures: readonly string[] }> => {
  const started: { stop(): Promise<void> }[] = [];
  const keep = <T extends { stop(): Promise<void> }>(part: T): T => {
    started.unshift(part);
    if (options.signal.aborted) throw new Error('interrupted');
    return part;
  };
  const interrupted = new Promise<never>((_, reject) =>
    options.signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true }),
  );
  const told = tell(options, keep);
  try {
    return await Promise.race([told, interrupted]);
  } finally {
    options.screen.say('stopping every process the demo started');
    for (const part of started) await part.stop();
    await told.catch(() => undefined);
  }
};

type Keep = <T extends { stop(): Promise<void> }>(part: T) => T;

const tell = async ({ dataDir, isSwapped, screen }: StoryOptions, keep: Keep) => {
  const { upstream, vendor } = await startInstallations(dataDir, screen, keep);
  const fleets = await startFleets(upstream, vendor, dataDir, screen, keep);
  const load = keep(await startLoad([...fleets.upstream.ports, ...fleets.vendor.ports], LOAD_SEED));
  screen.say(
    `times (all else is the default policy), ms: ${JSON.stringify({ ...TIMES, reportEveryMs: REPORT_EVERY_MS })}`,
  );
  const fleetSize = FLEET.upstreamWorkers * FLEET.instancesPerWorker;
  const plan = await proposePlan(upstream.api, READER_FLAG, fleetSize, screen);
  const [announcedGood, announcedBad] = isSwapped ? [PRICING_FLAG, READER_FLAG] : [READER_FLAG, PRICING_FLAG];

  screen.title(`Act one: ${announcedGood} is rolled out, with nobody at the wheel`);
  const good = await runRollout(upstream.api, announcedGood, 'the rewrite is twice as quick', screen);
  await showBeside(fleets, load, announcedGood, screen);

  screen.title(`Act two: ${announcedBad} is rolled out the same way`);
  const bad = await runRollout(upstream.api, announcedBad, 'the rewrite is shorter', screen);
  await showBeside(fleets, load, announcedBad, screen);

  screen.title(`Act three: the kill switch of ${announcedGood}`);
  const kill = await throwKill(upstream.api, announcedGood, async () => [
    ...(await fleets.upstream.tallies()),
    ...(await fleets.vendor.tallies()),
  ]);
  screen.say(
    `kill acknowledged after ${kill.acknowledgedMs} ms; last request through the path, over ${kill.instances} instances of both installations: p50 ${kill.p50Ms} ms, p99 ${kill.p99Ms} ms, max ${kill.maxMs} ms after it was sent`,
  );
  screen.say(
    kill.switched.instances === 0
      ? `no SDK had anything to switch: ${announcedGood} was on nowhere`
      : `SDKs switched: ${kill.switched.instances} of ${kill.instances}, p50 ${kill.switched.p50Ms} ms, p99 ${kill.switched.p99Ms} ms, max ${kill.switched.maxMs} ms`,
  );

  const heads = { upstream: await headOf(upstream), vendor: await headOf(vendor) };
  const log = await upstream.api.post<{ ok: boolean; events: number }>('/v1/admin/log/verify', {});
  const result = resultOf({ good, bad, kill, heads, log, vendorInstances: await fleets.vendor.tallies() });
  screen.title('Summary');
  screen.say(
    `good: ${good.status}; bad: ${bad.status} at ${bad.weightPpm / 10_000} %, ${result.bad.onInstanceHours.toFixed(3)} instance hours on the bad path`,
  );
  screen.say(
    `vendor: ${result.vendor.instances} instances at head ${heads.vendor.slice(0, 16)}…, upstream's is ${heads.upstream.slice(0, 16)}…`,
  );
  screen.say(
    `log: ${result.log.events} events, chain ${result.log.verified ? 'verified in JetStream and in the archive' : 'BROKEN'}`,
  );
  return { result, failures: judgeStory(result, kill, heads, plan.ladderPpm) };
};

const startInstallations = async (dataDir: string, screen: Screen, keep: Keep) => {
  screen.say('starting upstream: own nats-server, own Postgres, every service');
  const upstream = keep(await startInstallation('upstream', `${dataDir}/upstream`));
  screen.say(`upstream serves at ${upstream.url}`);
  await prepareProject(upstream.api);
  const bundle = await upstream.api.post<unknown>('/v1/admin/vendors', { name: 'acme' });
  const vendor = keep(await startInstallation('vendor', `${dataDir}/vendor`, bundle));
  screen.say(`vendor acme serves at ${vendor.url}, mirroring upstream over a leaf node`);
  return { upstream, vendor };
};

const startFleets = async (
  upstream: Installation,
  vendor: Installation,
  dataDir: string,
  screen: Screen,
  keep: Keep,
) => {
  const common = { rootPin: upstream.rootPin, dataDir };
  const own = keep(
    await startFleet({
      ...common,
      at: upstream,
      telemetryToken: upstream.ingestToken,
      workers: FLEET.upstreamWorkers,
    }),
  );
  const theirs = keep(
    await startFleet({
      ...common,
      at: vendor,
      telemetryToken: vendor.ingestToken,
      workers: FLEET.vendorWorkers,
    }),
  );
  const [ours, others] = [await own.tallies(), await theirs.tallies()];
  screen.say(`${ours.length} instances at upstream and ${others.length} at the vendor hold verified flags`);
  return { upstream: own, vendor: theirs };
};

/** Vendor instances are shown beside the judged ones; nobody judges them here. */
const showBeside = async (
  fleets: { upstream: Fleet; vendor: Fleet },
  load: Load,
  flag: string,
  screen: Screen,
): Promise<void> => {
  const [ours, theirs, counts] = [
    await fleets.upstream.tallies(),
    await fleets.vendor.tallies(),
    await load.counts(),
  ];
  const users = (tallies: readonly { served: Readonly<Record<string, number>> }[]): number =>
    tallies.filter((tally) => (tally.served[flag] ?? 0) > 0).length;
  screen.say(
    `beside: ${flag} has served requests on ${users(ours)} of ${ours.length} upstream and ${users(theirs)} of ${theirs.length} vendor instances; ${counts.answered} orders answered so far, ${counts.failed} failed`,
  );
};

/** Digest of the head that an installation's gateway serves for the upstream's channel, once it covers the newest change. */
const headOf = async (installation: Installation): Promise<string> => {
  const state = await installation.api.get<ChannelState>(`/flags/${PROJECT}/${CHANNEL}/`);
  return headDigest(state.head.h);
};
