import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileDocument } from '@headgate/domain';
import { verifyLog } from '@headgate/projector';
import { allRows, listViews, readCheckpoint, VIEW_TABLES } from '@headgate/read-model';
import { connectHeadgate, type Headgate } from '@headgate/sdk';
import { canonicalJson, documentDigest } from '@headgate/trust';
import { climb } from './judged-rollout.js';
import { seeds } from './seeds.js';
import { type Services, startServices, VICTIMS, type Victim } from './services.js';
import { type AcknowledgedWrite, insist, write } from './writers.js';

const KILLS_EACH = 3;
const WRITES = 200;
const WRITERS = 4;
const LIMIT_MS = 300_000;

const seed = Number(process.env.HEADGATE_CHAOS_SEED ?? seeds.at(-1));
let services: Services;
let sdkDir: string;
const sdks: Headgate[] = [];

/** Mulberry32: enough to draw victims and moments again from a seed. */
const randomFrom = (start: number): (() => number) => {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (
  what: string,
  isSo: () => Promise<boolean> | boolean,
  deadline: number,
): Promise<void> => {
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for: ${what}`);
    await pause(50);
  }
};

/** An SDK that notes every revision it saw; `goneBack` says where one came after a newer one. */
const watch = (name: string) => {
  let newest = { epoch: 0, n: 0 };
  const goneBack: string[] = [];
  const open = (): Headgate => {
    const headgate = connectHeadgate({
      url: services.gatewayUrl,
      project: 'web',
      channel: 'stable',
      root: services.pin,
      instanceId: name,
      siteSalt: 'chaos',
      dataDir: join(sdkDir, name),
      telemetry: false,
    });
    headgate.on('change', ({ epoch, n }) => {
      if (epoch < newest.epoch || (epoch === newest.epoch && n < newest.n))
        goneBack.push(`${name} went from ${newest.epoch}.${newest.n} to ${epoch}.${n}`);
      else newest = { epoch, n };
    });
    sdks.push(headgate);
    return headgate;
  };
  return { open, goneBack };
};

const victimsOf = (random: () => number): Victim[] =>
  VICTIMS.flatMap((victim) => Array.from({ length: KILLS_EACH }, () => ({ victim, rank: random() })))
    .sort((a, b) => a.rank - b.rank)
    .map(({ victim }) => victim);

beforeAll(async () => {
  sdkDir = mkdtempSync(join(tmpdir(), 'hg-chaos-sdk-'));
  services = await startServices();
}, 120_000);
afterAll(async () => {
  await Promise.all(sdks.map((sdk) => sdk.close()));
  await services?.stop();
  rmSync(sdkDir, { recursive: true, force: true });
}, 60_000);

describe(`an installation under kill -9 (seed ${seed})`, () => {
  it(
    'loses nothing it acknowledged, doubles nothing, and no SDK goes back',
    async () => {
      const random = randomFrom(seed);
      const deadline = Date.now() + LIMIT_MS - 60_000;
      const isLate = (): boolean => Date.now() > deadline;
      const door = { url: services.controlUrl, token: services.token, deadline: isLate };
      const first = [
        await insist('/v1/projects', { slug: 'web', why: 'chaos' }, door),
        await insist('/v1/projects/web/channels', { slug: 'stable', why: 'chaos' }, door),
      ];
      const watched = ['a', 'b', 'c'].map(watch);
      let reopened = watched.map(({ open }) => open());

      let kills = 0;
      let begun = 0;
      const victims = victimsOf(random);
      /** Writes are spread over the kills: each kill frees its share of them. */
      const next = async (): Promise<boolean> => {
        if (begun >= WRITES) return false;
        begun += 1;
        const mine = begun;
        while (mine > ((kills + 1) * WRITES) / victims.length && !isLate()) await pause(10);
        await pause(random() * 40);
        return true;
      };
      const writers = Array.from({ length: WRITERS }, (_, index) =>
        write(`w${index}`, { ...door, random, next }),
      );
      const killing = (async () => {
        for (const victim of victims) {
          await pause(50 + random() * 400);
          await services.kill(victim);
          kills += 1;
          if (kills % 7 === 0) {
            await Promise.all(reopened.map((sdk) => sdk.close()));
            reopened = watched.map(({ open }) => open());
          }
        }
      })();
      const due = async (step: number): Promise<void> => {
        while (kills < 2 * step && !isLate()) await pause(20);
      };
      const climbing = climb({ store: services.store, door, due });
      const acknowledged = [...first, ...(await Promise.all(writers)).flat()];
      await killing;
      const climbed = await climbing;
      expect(climbed).toEqual({ status: 'completed', weights: climbed.ladder, ladder: climbed.ladder });
      expect(kills).toBe(VICTIMS.length * KILLS_EACH);
      expect(acknowledged).toHaveLength(WRITES + first.length);

      await expectInLogOnce(acknowledged);
      await expectProjected(deadline + 30_000);
      await expectServed(reopened, deadline + 45_000);
      expect(watched.flatMap(({ goneBack }) => goneBack)).toEqual([]);
      const again = acknowledged.filter(({ attempts }) => attempts > 1).length;
      process.stdout.write(
        `chaos: seed ${seed}, ${kills} kills, ${acknowledged.length} writes acknowledged, ${again} after more than one try\n`,
      );
    },
    LIMIT_MS,
  );
});

const expectInLogOnce = async (acknowledged: readonly AcknowledgedWrite[]): Promise<void> => {
  const inLog = new Map<string, { position: number; hash: string }[]>();
  for await (const { event } of services.store.read({ project: 'web' })) {
    const { commandId, position, hash } = event;
    inLog.set(commandId, [...(inLog.get(commandId) ?? []), { position, hash }]);
  }
  for (const { commandId, position, hash } of acknowledged)
    expect(inLog.get(commandId)).toEqual([{ position, hash }]);
  expect(inLog.size).toBe(acknowledged.length);
};

const expectProjected = async (deadline: number): Promise<void> => {
  const { head, state } = await services.store.project('web');
  const reached = async (): Promise<boolean> =>
    ((await readCheckpoint(services.db).catch(() => null))?.heads.web?.position ?? 0) >=
    (head?.position ?? 0);
  await until('the projection to hold the whole log', reached, deadline);
  const projected = await Promise.all(VIEW_TABLES.map((table) => listViews(services.db, table, 'web')));
  const folded = VIEW_TABLES.map((table) => allRows('web', state).filter((row) => row.table === table));
  const sorted = (views: readonly unknown[]): string[] => views.map((view) => canonicalJson(view)).sort();
  expect(projected.map(sorted)).toEqual(folded.map((rows) => sorted(rows.map(({ view }) => view))));
  expect(await verifyLog(services.store, services.db)).toMatchObject({ ok: true, faults: [] });
};

/** What every SDK holds in the end: exactly the documents that the log folds to. */
const expectServed = async (open: readonly Headgate[], deadline: number): Promise<void> => {
  const { state } = await services.store.project('web');
  const flags = [...state.flags.values()];
  const served = (sdk: Headgate): boolean =>
    flags.every((flag) => {
      const document = compileDocument('web', flag);
      return document === null || sdk.details(flag.key, false).flagDigest === documentDigest(document);
    });
  await until('every SDK to hold what the log says', () => open.every(served), deadline);
  expect(open.map((sdk) => sdk.status().head?.documentCount)).toEqual(open.map(() => flags.length));
};
