import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import { run } from '../../apps/cli/src/index.js';
import { terminalIn } from '../../apps/cli/src/terminal.fixture.js';
import { fuzzRun } from '../support/fuzz-run.js';
import { type StandaloneProcess, startStandaloneProcess } from '../support/standalone-process.js';

// What nats-server keeps is not ours to read, but what becomes of it when it is damaged is ours to answer for: the archive has every
// event, so whatever happens to a file of the store, what was acknowledged is there, or comes back by what we tell people to do.
const fuzz = fuzzRun('the damaged store of nats-server', 4);
const KEYS = ['one', 'three', 'two'];

let folder: string;
let whole: string;
let token: string;
let files: readonly string[];
let running: StandaloneProcess | null = null;

const stop = async (): Promise<void> => {
  await running?.stop();
  running = null;
};

const headgate = async (...args: readonly string[]) => {
  const { terminal, out, err } = terminalIn(folder, {
    HEADGATE_SERVER: running?.url ?? '',
    HEADGATE_TOKEN: token,
    HEADGATE_PROJECT: 'web',
    HEADGATE_CHANNEL: 'stable',
  });
  return { exit: await run(args, terminal, '0.0.0'), out: out(), err: err() };
};

const keys = async (): Promise<readonly string[]> => {
  const { exit, out } = await headgate('flag', 'list', '-o', 'json');
  if (exit !== 0) return [];
  return (JSON.parse(out) as { items: { key: string }[] }).items.map(({ key }) => key).sort();
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hg-store-'));
  whole = join(folder, 'whole');
  running = await startStandaloneProcess(whole);
  token = running.adminToken;
  for (const line of [
    'project create web',
    'channel create stable',
    ...KEYS.map((key) => `flag create ${key}`),
  ])
    expect(await headgate(...line.split(' '), '--why', 'spec')).toMatchObject({ exit: 0 });
  // An archive that lags could not bring back what only the log had.
  for (;;) {
    const { out } = await headgate('log', 'verify', '-o', 'json');
    if ((JSON.parse(out) as { notArchivedYet: number }).notArchivedYet === 0) break;
    await new Promise((later) => setTimeout(later, 50));
  }
  await stop();
  files = readdirSync(join(whole, 'nats', 'store'), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(whole, join(entry.parentPath, entry.name)))
    .sort();
  expect(files.filter((file) => file.includes('/LOG/')).length).toBeGreaterThan(2);
}, 180_000);
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

type Damage =
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'scribble'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'remove' };
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: place }),
  fc.record({
    kind: fc.constant('scribble' as const),
    at: place,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  }),
  fc.record({ kind: fc.constant('remove' as const) }),
);

const hurt = (path: string, how: Damage): void => {
  if (how.kind === 'remove') {
    rmSync(path);
    return;
  }
  const bytes = readFileSync(path);
  const at = Math.floor(how.at * bytes.length);
  if (how.kind === 'scribble') Buffer.from(how.bytes).copy(bytes, at);
  writeFileSync(path, how.kind === 'cut' ? bytes.subarray(0, at) : bytes);
};

/** The stream's folder: where its files hold each other's checksums, either may be the damaged one. */
const streamOf = (dataDir: string, file: string): string =>
  join(dataDir, dirname(file).replace(/(\/streams\/[^/]+).*/, '$1'));

it(
  'a store of nats-server with a damaged file loses nothing that was acknowledged',
  async () => {
    const ended = { there: 0, restored: 0, refused: 0 };
    const dataDir = join(folder, 'hurt');
    const log = files.filter((file) => file.includes('/LOG/'));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.constantFrom(...log), fc.constantFrom(...files)),
        damage,
        async (file, how) => {
          rmSync(dataDir, { recursive: true, force: true });
          cpSync(whole, dataDir, { recursive: true });
          hurt(join(dataDir, file), how);
          try {
            running = await startStandaloneProcess(dataDir);
          } catch (cause) {
            const { message } = cause as Error;
            expect(message).toContain(streamOf(dataDir, file));
            expect(message).toContain('headgate log restore');
            // What the message says: away with the stream, and the log comes back from the archive.
            rmSync(streamOf(dataDir, file), { recursive: true });
            running = await startStandaloneProcess(dataDir);
            ended.refused += 1;
          }
          // Postgres answers reads: that they are right says nothing about the log behind it.
          const isWhole = (await headgate('log', 'verify')).exit === 0;
          if (isWhole && JSON.stringify(await keys()) === JSON.stringify(KEYS)) ended.there += 1;
          else {
            expect((await headgate('log', 'verify', '--data-dir', dataDir)).exit).toBe(3);
            const restored = await headgate('log', 'restore', '--why', 'spec', '--data-dir', dataDir);
            expect(restored).toMatchObject({ exit: 0 });
            expect(await keys()).toEqual(KEYS);
            ended.restored += 1;
          }
          expect(await headgate('flag', 'create', 'later', '--why', 'spec')).toMatchObject({ exit: 0 });
          expect(await headgate('log', 'verify')).toMatchObject({ exit: 0 });
          await stop();
        },
      ),
      { ...fuzz, endOnFailure: true },
    );
    process.stderr.write(`damaged store: ${JSON.stringify(ended)}\n`);
  },
  120_000 + fuzz.numRuns * 120_000,
);
