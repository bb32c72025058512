import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from '../../apps/cli/src/index.js';
import { terminalIn } from '../../apps/cli/src/terminal.fixture.js';
import {
  DEFINITION,
  type OpenedControl,
  openControl,
  prepare,
} from '../../apps/control/src/control.fixture.js';

const BIN = resolve('apps/cli/bin/headgate.mjs');

interface Ended {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

let control: OpenedControl;
let admin: string;
let folder: string;

beforeEach(async () => {
  control = await openControl();
  ({ admin } = await prepare(control));
  folder = mkdtempSync(join(tmpdir(), 'hg-cli-'));
});
afterEach(async () => {
  await control.close();
  rmSync(folder, { recursive: true, force: true });
});

const start = (args: readonly string[], env: Record<string, string> = {}): ChildProcess =>
  spawn(process.execPath, [BIN, ...args], {
    cwd: folder,
    // Nothing of the machine that runs the tests gets in: no settings, no CI, no token.
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      HEADGATE_SERVER: control.service.url,
      HEADGATE_TOKEN: admin,
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });

const ended = (child: ChildProcess): Promise<Ended> =>
  new Promise((done, failed) => {
    let [out, err] = ['', ''];
    child.stdout?.on('data', (part: Buffer) => {
      out += part.toString();
    });
    child.stderr?.on('data', (part: Buffer) => {
      err += part.toString();
    });
    child.on('error', failed);
    child.on('close', (exit) => done({ exit, out, err }));
  });

/** As a process of its own: what a shell sees. */
const spawned = (line: string, env: Record<string, string> = {}, input = ''): Promise<Ended> => {
  const child = start(words(line), env);
  child.stdin?.end(input);
  return ended(child);
};

/** The same command line in this process, ten times as quick. */
const headgate = async (line: string, env: Record<string, string> = {}, input = ''): Promise<Ended> => {
  const { terminal, out, err } = terminalIn(
    folder,
    { HEADGATE_SERVER: control.service.url, HEADGATE_TOKEN: admin, ...env },
    input,
  );
  const exit = await run(words(line), terminal, '0.0.0');
  return { exit, out: out(), err: err() };
};

const words = (line: string): readonly string[] => line.split(' ').filter((word) => word !== '');

describe('the command line', () => {
  it('puts data on stdout and everything else on stderr, in three forms', async () => {
    const created = await spawned('flag create fast --why quicker');
    expect([created.exit, created.out]).toEqual([0, 'flag/fast\n']);
    expect(created.err).toContain('created flag fast (position 1.4)');
    const table = await spawned('flag list');
    expect(table.out.split('\n')[0]).toMatch(/^flag +channel +status +default/);
    expect(table.out).toMatch(/^new-parser +stable +active +off +on,off/m);
    expect((await headgate('flag list -o name')).out).toBe('flag/fast\nflag/new-parser\n');
    const json = await headgate('flag get fast -o json');
    expect(JSON.parse(json.out)).toMatchObject({ key: 'fast', status: 'active', why: 'quicker' });
    expect([table.err, json.err]).toEqual(['', '']);
  });

  it.each<[string, number, Record<string, string>, RegExp]>([
    ['flag lits', 2, {}, /unknown command 'lits'[\s\S]*Did you mean list/],
    ['flag create x', 2, {}, /--why/],
    ['flag list --nonsense', 2, {}, /unknown option/],
    ['flag list -o yaml', 2, {}, /choices/],
    ['token create a --role king --why x', 2, {}, /choices/],
    ['rollout wait x --timeout soon', 2, {}, /30m/],
    ['flag kill new-parser --why bad', 2, {}, /--yes/],
    ['flag change new-parser --why x', 2, {}, /--definition FILE or --default/],
    ['flag list', 2, { HEADGATE_SERVER: '' }, /no server named/],
    ['flag list', 2, { HEADGATE_SERVER: 'ftp://x' }, /not an http/],
    ['flag get Not/There!', 4, {}, /must be/],
    ['flag create a --definition none.json --why x', 4, {}, /none.json cannot be read/],
    ['flag list', 5, { HEADGATE_TOKEN: '' }, /no token/],
    ['flag list', 5, { HEADGATE_TOKEN: 'hg_wrong' }, /not known, expired or revoked/],
    ['flag list --token-file nowhere', 5, {}, /does not exist/],
    ['flag get none', 6, {}, /has no flag "none"[\s\S]*next: Check the name/],
    ['project create web --why again', 6, {}, /exists since/],
    ['flag lift-kill new-parser --why x', 6, {}, /not killed/],
    ['flag list', 9, { HEADGATE_SERVER: 'http://127.0.0.1:9' }, /cannot reach Headgate/],
  ])('%s: exit %i', async (line, exit, env, says) => {
    const got = await headgate(line, env);
    expect([got.exit, got.out]).toEqual([exit, '']);
    expect(got.err).toMatch(says);
    expect(got.err).not.toMatch(/^\s+at .*:\d+:\d+/m);
  });

  it('ends a process of its own with the same codes', async () => {
    const [usage, conflict, help] = await Promise.all([
      spawned('flag lits'),
      spawned('project create web --why again'),
      spawned('flag --help'),
    ]);
    expect([usage.exit, conflict.exit, help.exit]).toEqual([2, 6, 0]);
    expect([usage.out, conflict.out, help.err]).toEqual(['', '', '']);
  });

  it('leaves the flag alone when a kill was not confirmed', async () => {
    await headgate('flag kill new-parser --why bad --no-input');
    expect(JSON.parse((await headgate('flag get new-parser -o json')).out).status).toBe('active');
    expect((await headgate('flag kill new-parser --why bad --yes')).exit).toBe(0);
    expect(JSON.parse((await headgate('flag get new-parser -o json')).out).status).toBe('killed');
  });

  it('takes its token from a file or stdin as well', async () => {
    writeFileSync(join(folder, 'token'), `${admin}\n`);
    for (const [line, env, input] of [
      ['whoami --token-file token', { HEADGATE_TOKEN: '' }, ''],
      ['whoami --token-file -', { HEADGATE_TOKEN: '' }, `${admin}\n`],
      ['whoami', { HEADGATE_TOKEN: '', HEADGATE_TOKEN_FILE: 'token' }, ''],
    ] as const) {
      expect((await headgate(line, env, input)).out).toMatch(/^admin of all projects/);
    }
  });

  it("lets flags win over the environment, that over the project's file, that over the user's", async () => {
    const bad = 'http://127.0.0.1:9';
    mkdirSync(join(folder, '.headgate'));
    mkdirSync(join(folder, '.config', 'headgate'), { recursive: true });
    const files = {
      project: join(folder, '.headgate', 'cli.json'),
      user: join(folder, '.config', 'headgate', 'cli.json'),
    };
    const { url } = control.service;
    const none = { HEADGATE_SERVER: '' };
    writeFileSync(files.user, JSON.stringify({ server: url, output: 'name' }));
    expect((await headgate('project list', none)).out).toBe('project/web\n');
    writeFileSync(files.project, JSON.stringify({ server: bad }));
    expect((await headgate('project list', none)).exit).toBe(9);
    expect((await headgate('project list', { HEADGATE_SERVER: url })).exit).toBe(0);
    expect((await headgate(`project list --server ${bad}`, { HEADGATE_SERVER: url })).exit).toBe(9);
    writeFileSync(files.project, '{"server": 5}');
    const broken = await headgate('project list', { HEADGATE_SERVER: url });
    expect([broken.exit, broken.err]).toEqual([4, expect.stringContaining('server')]);
  });

  it('reads definitions from files and stdin, and changes only the default variant when asked', async () => {
    const definition = JSON.stringify({ ...DEFINITION, variants: { a: 'x', b: 'y' }, defaultVariant: 'a' });
    expect((await headgate('flag create text --definition - --why x', {}, definition)).exit).toBe(0);
    expect((await headgate('flag change text --default b --why y')).exit).toBe(0);
    const view = JSON.parse((await headgate('flag get text -o json')).out);
    expect(view.definition).toMatchObject({ variants: { a: 'x', b: 'y' }, defaultVariant: 'b' });
    const wrong = await headgate('flag create t2 --definition - --why x', {}, '{"state":"ON"}');
    expect([wrong.exit, wrong.err]).toEqual([4, expect.stringContaining('- state:')]);
  });

  it('creates a token whose secret alone is on stdout, and revokes it', async () => {
    const created = await headgate('token create ci --role viewer --expires 1h --why pipeline');
    expect(created.out).toMatch(/^hg_[A-Za-z0-9_-]{43}\n$/);
    const secret = created.out.trim();
    expect((await headgate('whoami', { HEADGATE_TOKEN: secret })).out).toMatch(/^viewer/);
    const { items } = JSON.parse((await headgate('token list -o json')).out);
    const { id } = items.find(({ name }: { name: string }) => name === 'ci');
    expect((await headgate(`token revoke ${id} --why done`)).exit).toBe(0);
    expect((await headgate('whoami', { HEADGATE_TOKEN: secret })).exit).toBe(5);
    expect((await headgate(`token get ${id}`)).out).toMatch(/revoked: +20/);
  });

  it('repeats a command by its id without doing it twice', async () => {
    const line =
      'flag kill new-parser --why bad --yes -o json --command-id 3f0c1b1e-8a52-4a7c-9b8e-0d5e6f7a8b9c';
    const first = JSON.parse((await headgate(line)).out);
    const again = await headgate(line);
    expect(JSON.parse(again.out)).toEqual({ ...first, repeated: true });
    expect(again.err).toContain('carried out before');
  });

  it('tries again by itself while the log is away', async () => {
    control.streams.disconnect();
    const child = start(['project', 'list']);
    child.stdin?.end();
    const end = ended(child);
    // The first refusal has been logged: the command line is now waiting for its next try.
    while (!control.lines.some((line) => line.includes('log-unavailable'))) await new Promise(setImmediate);
    control.streams.reconnect();
    expect((await end).exit).toBe(0);
  });
});

describe('a rollout on the command line', () => {
  const begin = async (): Promise<string> =>
    (await headgate('rollout start new-parser --variant on --why try')).out.trim();

  it('is watched as one line per event, and ends with 7 when it did not complete', async () => {
    const id = await begin();
    const watching = start(['rollout', 'get', id, '--watch', '-o', 'json']);
    watching.stdin?.end();
    const end = ended(watching);
    await new Promise((seen) => watching.stdout?.once('data', seen));
    const objected = await headgate(`rollout object ${id} --site harbour --kind local-rollback --why unwell`);
    expect([objected.exit, objected.err]).toEqual([0, expect.stringContaining('of site harbour')]);
    expect((await headgate(`rollout object ${id} --vendor Acme! --why x`)).exit).toBe(2);
    expect((await headgate(`rollout abort ${id} --why enough`)).exit).toBe(0);
    const { exit, out, err } = await end;
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ event: 'rollout', data: { id, status: 'pre-period' } });
    expect(events.at(-1)).toMatchObject({ data: { status: 'aborted' } });
    expect([exit, err]).toEqual([7, expect.stringContaining('is aborted')]);
    expect((await headgate(`rollout wait ${id}`)).exit).toBe(7);
    expect((await headgate(`rollout get ${id}`)).out).toMatch(/^new-parser → on/);
    expect((await headgate(`rollout why ${id}`)).out).toMatch(/^aborted/);
    expect((await headgate(`rollout why ${id}`)).out).toContain(
      'local-rollback of site harbour at 0 %: unwell',
    );
    const why = JSON.parse((await headgate(`rollout why ${id} -o json`)).out);
    expect(why.signals).toMatchObject([{ signal: 'local-rollback', source: { name: 'harbour' } }]);
    expect((await headgate('rollout list -o name')).out).toBe(`rollout/${id}\n`);
  });

  it('is waited for only so long', async () => {
    const got = await headgate(`rollout wait ${await begin()} --timeout 300ms`);
    expect([got.exit, got.err]).toEqual([8, expect.stringContaining('timed out')]);
  });

  it('is let go of by Ctrl-C with 130, and goes on', async () => {
    const id = await begin();
    const watching = start(['rollout', 'get', id, '--watch']);
    watching.stdin?.end();
    const end = ended(watching);
    await new Promise((seen) => watching.stdout?.once('data', seen));
    watching.kill('SIGINT');
    expect((await end).exit).toBe(130);
    expect(JSON.parse((await headgate(`rollout get ${id} -o json`)).out).status).toBe('pre-period');
  });

  it('is refused with files that are no policy, before anything is sent', async () => {
    const policy = await headgate(
      'rollout start new-parser --why x --policy -',
      {},
      '{"alpha": 7, "speed": 1}',
    );
    expect([policy.exit, policy.err]).toEqual([4, expect.stringMatching(/alpha[\s\S]*speed/)]);
    expect((await headgate('rollout list -o name')).out).toBe('');
  });
});
