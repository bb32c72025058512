import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { EXIT } from './exit.js';
import { run } from './run.js';
import { terminalIn } from './terminal.fixture.js';

const SEED = Number(process.env.HEADGATE_FUZZ_SEED ?? Date.now() % 2_147_483_647);
const RUNS = Number(process.env.HEADGATE_FUZZ_RUNS ?? 200);
const seeded = { seed: SEED, numRuns: RUNS };
const CODES: readonly number[] = Object.values(EXIT);

let folder: string;
let server: Server;
let answer: { status: number; body: Uint8Array };
let url: string;

beforeAll(async () => {
  process.stderr.write(`fuzz of the command line: seed ${SEED}, ${RUNS} runs a property\n`);
  folder = mkdtempSync(join(tmpdir(), 'hg-cli-fuzz-'));
  mkdirSync(join(folder, '.headgate'));
  answer = { status: 200, body: new Uint8Array() };
  server = createServer((request, reply) => {
    request.resume();
    reply.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done()));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true, force: true });
});

const headgate = async (args: readonly string[], input: Uint8Array = new Uint8Array()) => {
  const env = {
    HEADGATE_SERVER: url,
    HEADGATE_TOKEN: 'hg_fuzz',
    HEADGATE_PROJECT: 'web',
    HEADGATE_CHANNEL: 'stable',
  };
  const { terminal, out, err } = terminalIn(folder, env, input);
  return { exit: await run(args, terminal, '0.0.0'), out: out(), err: err() };
};

/** Whatever goes wrong is said as an error with a next step, under a documented code, with no stack and nothing on stdout. */
const expectExplained = ({ exit, err }: { exit: number; err: string }): void => {
  expect(CODES).toContain(exit);
  expect(err).not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect(err).not.toContain('fault of the command line');
};

const COMMANDS = [
  'project',
  'channel',
  'flag',
  'segment',
  'validate',
  'export',
  'import',
  'rollout',
  'token',
  'log',
  'doctor',
  'create',
  'get',
  'list',
  'kill',
  'why',
  'plan',
];
const OPTIONS = [
  '--why',
  '--yes',
  '-o',
  'json',
  '--definition',
  '-',
  '--role',
  'viewer',
  '--timeout',
  '1ms',
  '--project',
  '--',
];
const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...COMMANDS, ...OPTIONS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
);

describe('the command line takes', () => {
  it('any words', async () => {
    answer = { status: 200, body: Buffer.from('{"items":[]}') };
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 7 }), async (args) =>
        expectExplained(await headgate(args)),
      ),
      seeded,
    );
  }, 60_000);

  it('any answer of whatever listens at the address', async () => {
    const statuses = fc.constantFrom(200, 201, 301, 400, 401, 403, 404, 409, 413, 422, 500, 502);
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record({ error: fc.record({ code: fc.string(), message: fc.string(), next: fc.string() }) })
        .map((body) => Buffer.from(JSON.stringify(body))),
    );
    const commands = fc.constantFrom(
      'flag list',
      'flag get x',
      'project create a --why b',
      'rollout get x',
      'token list',
      'doctor',
      'rollout plan x',
    );
    await fc.assert(
      fc.asyncProperty(statuses, bodies, commands, async (status, body, line) => {
        answer = { status, body };
        const got = await headgate(line.split(' '));
        expectExplained(got);
        if (got.exit !== 0 && got.exit !== EXIT.drift) expect(got.out).toBe('');
      }),
      seeded,
    );
  }, 60_000);

  it('any bytes as definition, policy and metrics', async () => {
    answer = { status: 400, body: Buffer.from('{}') };
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.json().map((text) => Buffer.from(text)),
    );
    const lines = fc.constantFrom(
      'flag create x --why y --definition -',
      'flag create x --why y --file -',
      'segment create x --why y --file -',
      'validate -',
      'import - --dry-run',
      'rollout plan x --policy -',
      'rollout start x --why y --metrics -',
    );
    await fc.assert(
      fc.asyncProperty(bytes, lines, async (input, line) => {
        const got = await headgate(line.split(' '), input);
        expectExplained(got);
        expect(got.exit).toBe(EXIT.invalid);
      }),
      seeded,
    );
  }, 60_000);

  it('any bytes as settings file', async () => {
    const settings = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record({ server: fc.string(), output: fc.string(), tokenFile: fc.string() }, { requiredKeys: [] })
        .map((file) => Buffer.from(JSON.stringify(file))),
    );
    const file = join(folder, '.headgate', 'cli.json');
    await fc.assert(
      fc.asyncProperty(settings, async (bytes) => {
        writeFileSync(file, bytes);
        expectExplained(await headgate(['project', 'list']));
      }),
      seeded,
    );
    rmSync(file);
  }, 60_000);
});
