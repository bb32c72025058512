import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { ChannelState } from '@headgate/contracts';
import fc from 'fast-check';
import { type StandaloneProcess, startStandaloneProcess } from '../support/standalone-process.js';
import { until } from '../support/until.js';

const SEED = Number(process.env.HEADGATE_FUZZ_SEED ?? Date.now() % 2_147_483_647);
const RUNS = Number(process.env.HEADGATE_DAMAGE_RUNS ?? 4);
const SMALL_BYTES = 20_000;

let folder: string;
let dataDir: string;
let token: string;
let running: StandaloneProcess | null = null;

beforeAll(async () => {
  process.stderr.write(`damaged data: seed ${SEED}, ${RUNS} runs\n`);
  folder = mkdtempSync(join(tmpdir(), 'hg-damage-'));
  dataDir = join(folder, 'data');
  running = await startStandaloneProcess(dataDir);
  token = running.adminToken;
  const definition = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
  await running.call('POST', '/v1/projects', { slug: 'web', why: 'x' });
  await running.call('POST', '/v1/projects/web/channels', { slug: 'stable', why: 'x' });
  await running.call('POST', '/v1/projects/web/channels/stable/flags', { key: 'fast', definition, why: 'x' });
  await flagServed(running);
  await stop();
}, 120_000);
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

const stop = async (): Promise<void> => {
  await running?.stop();
  running = null;
};

const flagServed = ({ url }: StandaloneProcess) =>
  until('the flag is served', async () => {
    const answer = await fetch(`${url}/flags/web/stable/`);
    return answer.ok && ((await answer.json()) as ChannelState).documents[0]?.key === 'fast';
  });

/** Ours to read back: what the two servers store is theirs, and logs are read by nobody. */
const ourFiles = (): readonly string[] =>
  readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) => !/postgres.cluster|nats.store|\.(log|out|conf)$|ready\.json$/.test(relative(dataDir, path)),
    )
    .filter((path) => statSync(path).size < SMALL_BYTES)
    .sort();

const damage = fc.oneof(
  fc.record({ bytes: fc.uint8Array({ maxLength: 200 }) }),
  fc.record({ keep: fc.double({ min: 0, max: 0.99, noNaN: true }) }),
  fc.record({ flip: fc.nat() }),
);

const damaged = (whole: Buffer, how: { bytes?: Uint8Array; keep?: number; flip?: number }): Buffer => {
  if (how.bytes) return Buffer.from(how.bytes);
  if (how.keep !== undefined) return whole.subarray(0, Math.floor(whole.length * how.keep));
  const changed = Buffer.from(whole);
  const at = (how.flip ?? 0) % changed.length;
  changed[at] = (changed[at] ?? 0) ^ 0x55;
  return changed;
};

describe('an installation with a damaged file', () => {
  it(
    'serves, or ends and names the file; mended, it has lost nothing',
    async () => {
      const files = ourFiles();
      expect(files.length).toBeGreaterThan(10);
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...files), damage, async (file, how) => {
          const whole = readFileSync(file);
          writeFileSync(file, damaged(whole, how));
          try {
            running = await startStandaloneProcess(dataDir);
          } catch (cause) {
            const { message } = cause as Error;
            expect(message).toContain(dataDir);
            expect(message).toMatch(/(restore|remove|mend) /);
            expect(message).not.toMatch(/^\s+at .*:\d+:\d+/m);
          }
          await stop();
          writeFileSync(file, whole);
        }),
        { seed: SEED, numRuns: RUNS, endOnFailure: true },
      );
      running = await startStandaloneProcess(dataDir);
      await flagServed(running);
      const verified = await fetch(`${running.url}/v1/admin/log/verify`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      });
      expect(await verified.json()).toMatchObject({ ok: true, faults: [] });
    },
    60_000 + RUNS * 40_000,
  );
});
