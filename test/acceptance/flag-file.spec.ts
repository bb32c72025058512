import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlagdCore } from '@openfeature/flagd-core';
import { run } from '../../apps/cli/src/index.js';
import { terminalIn } from '../../apps/cli/src/terminal.fixture.js';
import { type OpenedControl, openControl, prepare } from '../../apps/control/src/control.fixture.js';

let control: OpenedControl;
let admin: string;
let folder: string;

beforeEach(async () => {
  control = await openControl();
  ({ admin } = await prepare(control));
  folder = mkdtempSync(join(tmpdir(), 'hg-flag-file-'));
});
afterEach(async () => {
  await control.close();
  rmSync(folder, { recursive: true, force: true });
});

const headgate = async (args: readonly string[], input = '') => {
  const env = { HEADGATE_SERVER: control.service.url, HEADGATE_TOKEN: admin };
  const { terminal, out, err } = terminalIn(folder, env, input);
  return { exit: await run(args, terminal, '0.0.0'), out: out(), err: err() };
};
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return name;
};

const FILE = `schema: headgate.flags.v1
segments:
  beta:
    when: {in: [{var: targetingKey}, [ann, bob]]}
    description: who wants to know first
flags:
  new-ui:
    state: ENABLED
    variants: {on: true, off: false}
    defaultVariant: off
    prerequisites: [{flag: gate, variants: [on], otherwise: off}]
    rules:
      - when: {$ref: beta}
        serve: {variant: on}
    fallthrough: {split: [{variant: on, weight: 0 %}, {variant: off, weight: 100 %}]}
  gate:
    state: ENABLED
    variants: {on: true, off: false}
    defaultVariant: on
`;

describe('a flag file', () => {
  it('is imported, exported, and imported again without a change', async () => {
    write('flags.yaml', FILE);
    const planned = await headgate(['import', 'flags.yaml', '--dry-run']);
    expect(planned.exit).toBe(3);
    expect(planned.out).toMatch(/flag\/gate +would create\nflag\/new-ui +would create/);
    expect((await headgate(['segment', 'list', '-o', 'name'])).out).toBe('');
    const first = await headgate(['import', 'flags.yaml', '--why', 'moving in']);
    expect([first.err, first.exit]).toEqual([
      expect.stringContaining('3 items changed, 0 were as the file says'),
      0,
    ]);
    // The prerequisite goes first, whatever the order in the file.
    expect(first.out).toMatch(/segment\/beta +created\nflag\/gate +created\nflag\/new-ui +created/);
    const again = await headgate(['import', 'flags.yaml', '--why', 'moving in', '-o', 'json']);
    expect(JSON.parse(again.out)).toMatchObject({
      items: [{ result: 'same' }, { result: 'same' }, { result: 'same' }],
    });
    const exported = await headgate(['export']);
    expect(exported.out).toContain('channel: stable');
    expect(exported.out).toContain('weight: 100 %');
    expect((await headgate(['import', '-', '--dry-run'], exported.out)).exit).toBe(0);
    const asJson = await headgate(['export', '-o', 'json']);
    expect((await headgate(['import', '-', '--dry-run'], asJson.out)).exit).toBe(0);
    expect((await headgate(['validate', write('out.yaml', exported.out)])).exit).toBe(0);
  });

  it('goes out as flagd JSON that flagd evaluates, and comes back whole', async () => {
    write('flags.yaml', FILE);
    await headgate(['import', 'flags.yaml', '--why', 'moving in']);
    const { out } = await headgate(['export', '--format', 'flagd']);
    const core = new FlagdCore();
    core.setConfigurations(out);
    const ask = (targetingKey: string) =>
      core.resolveBooleanEvaluation('new-ui', false, { targetingKey }).variant;
    expect([ask('ann'), ask('eve')]).toEqual(['on', 'off']);
    const back = await headgate(['import', write('flagd.json', out), '--dry-run']);
    // Only what flagd has no place for differs: the segment's description.
    expect(back.out).toMatch(
      /segment\/beta +would change\nflag\/gate +same\nflag\/new-parser +same\nflag\/new-ui +same/,
    );
    const plain = await headgate(['export', '--format', 'flagd', '--plain']);
    expect(plain.out).not.toContain('headgate.definition');
  });

  it('is refused whole, before anything is changed, with every place and mend', async () => {
    write('bad.yaml', FILE.replace('$ref: beta', '$ref: alpha').replace('weight: 0 %', 'weight: 1 %'));
    for (const args of [
      ['import', 'bad.yaml', '--why', 'x'],
      ['validate', 'bad.yaml'],
    ]) {
      const { exit, out, err } = await headgate(args);
      expect([exit, out]).toEqual([4, '']);
      expect(err).toMatch(
        /bad\.yaml has 2 problems\n {2}- bad\.yaml:13:\d+: flags\.new-ui\.rules\[0\]\.when.*alpha/,
      );
      expect(err).toMatch(/bad\.yaml:15:\d+: flags\.new-ui\.fallthrough\.split/);
    }
    expect((await headgate(['flag', 'list', '-o', 'name'])).out).toBe('flag/new-parser\n');
  });

  it('is imported as far as it goes, and says what was not done', async () => {
    write('flags.yaml', FILE);
    await headgate(['import', 'flags.yaml', '--why', 'moving in']);
    await headgate(['rollout', 'start', 'gate', '--variant', 'off', '--why', 'try']);
    write(
      'next.yaml',
      FILE.replaceAll('defaultVariant: on', 'defaultVariant: off')
        .replace('weight: 0 %', 'weight: 50 %')
        .replace('weight: 100 %', 'weight: 50 %'),
    );
    const { exit, out, err } = await headgate(['import', 'next.yaml', '--why', 'go on']);
    expect(out).toMatch(/flag\/gate +failed: .*rollout/);
    expect(out).toMatch(/flag\/new-ui +changed/);
    expect(exit).toBe(6);
    expect(err).toMatch(/1 items were changed; 1 of 3 are not as the file says\n {2}- flag gate:/);
  });

  it('may be repeated with its command id: every item is one command', async () => {
    write('flags.yaml', FILE);
    const id = '01980000-0000-7000-8000-0000000000aa';
    await headgate(['import', 'flags.yaml', '--why', 'in', '--command-id', id]);
    await headgate(['flag', 'change', 'gate', '--default', 'off', '--why', 'out of band']);
    const { err } = await headgate(['import', 'flags.yaml', '--why', 'in', '--command-id', id]);
    expect(err).toMatch(/changed flag gate/);
    expect((await headgate(['import', 'flags.yaml', '--dry-run'])).exit).toBe(0);
  });

  it('has flags that can be tried with a context and a moment', async () => {
    write('flags.yaml', FILE);
    await headgate(['import', 'flags.yaml', '--why', 'moving in']);
    const tried = await headgate(['flag', 'evaluate', 'new-ui', '--context', '{"targetingKey":"ann"}']);
    expect([tried.exit, tried.err]).toEqual([0, '']);
    expect(tried.out).toMatch(
      /^flag: +new-ui\nvariant: on\nvalue: +true\nreason: +TARGETING_MATCH\n\nplace +outcome +why\n/,
    );
    expect(tried.out).toMatch(/^rules\.0\S* +served /m);
    const json = await headgate(
      ['flag', 'evaluate', 'new-ui', '--context-file', '-', '-o', 'json'],
      '{"targetingKey":"eve"}',
    );
    expect(JSON.parse(json.out)).toMatchObject({ key: 'new-ui', variant: 'off' });
    expect((await headgate(['flag', 'evaluate', 'new-ui', '--context', '{'])).err).toMatch(
      /--context is not JSON/,
    );
    expect((await headgate(['flag', 'evaluate', 'new-ui', '--at', 'soon'])).exit).toBe(2);
    expect((await headgate(['flag', 'evaluate', 'none'])).exit).toBe(6);
  });

  it('of Unleash comes in with a report of what changes, for given keys', async () => {
    write('keys', 'host-1\nhost-2\nhost-3\n');
    write(
      'unleash.json',
      JSON.stringify({
        features: [
          {
            name: 'quick',
            enabled: true,
            strategies: [
              { name: 'flexibleRollout', parameters: { rollout: '50', stickiness: 'userId', groupId: 'g' } },
            ],
          },
          { name: 'strange', enabled: true, strategies: [{ name: 'moon-phase' }] },
          { name: 'not a key', enabled: true, strategies: [] },
        ],
      }),
    );
    const { exit, out, err } = await headgate([
      'import',
      'unleash.json',
      '--keys',
      'keys',
      '--seed-compatible',
      '--why',
      'moving',
    ]);
    expect([exit, out]).toEqual([0, expect.stringMatching(/flag\/quick +created\nflag\/strange +created/)]);
    expect(err).toMatch(/no change of variant: quick, .*none of 3 given keys/);
    expect(err).toMatch(/not carried: strange, features\[1\]\.strategies\[0\].*moon-phase/);
    expect(err).toMatch(/not carried: not a key, features\[2\].*1 to 200 characters/);
  });

  it('of GO Feature Flag may be TOML', async () => {
    write('flags.toml', '[plain]\n[plain.variations]\na = 1\nb = 2\n[plain.defaultRule]\nvariation = "a"\n');
    expect((await headgate(['import', 'flags.toml', '--why', 'moving'])).out).toMatch(/flag\/plain +created/);
  });

  it('gives a flag and a segment their definitions', async () => {
    write('flags.yaml', FILE);
    expect((await headgate(['segment', 'create', 'beta', '--file', 'flags.yaml', '--why', 'x'])).exit).toBe(
      0,
    );
    expect((await headgate(['flag', 'create', 'gate', '--file', 'flags.yaml', '--why', 'x'])).exit).toBe(0);
    expect((await headgate(['flag', 'create', 'new-ui', '--file', 'flags.yaml', '--why', 'x'])).exit).toBe(0);
    expect((await headgate(['flag', 'create', 'none', '--file', 'flags.yaml', '--why', 'x'])).err).toMatch(
      /has no flag "none"/,
    );
    const used = await headgate(['segment', 'remove', 'beta', '--why', 'x']);
    expect([used.exit, used.err]).toEqual([6, expect.stringContaining('new-ui')]);
    expect(
      (await headgate(['segment', 'change', 'beta', '--when', '{"==":[{"var":"os"},"x"]}', '--why', 'x']))
        .exit,
    ).toBe(0);
    expect((await headgate(['segment', 'get', 'beta'])).out).toMatch(/used by: +new-ui/);
    await headgate(['segment', 'create', 'spare', '--when', 'true', '--why', 'x']);
    expect((await headgate(['segment', 'remove', 'spare', '--why', 'x'])).exit).toBe(0);
    expect((await headgate(['segment', 'list', '-o', 'name'])).out).toBe('segment/beta\n');
  });
});

/** The pages show files: they are held to what the command line takes. */
describe('the files in the documentation', () => {
  const blocks = (page: string): readonly string[] =>
    [...readFileSync(page, 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);

  it.each(['docs/reference/flag-file.md', 'docs/how-to/import-flags.md'])('%s are sound', async (page) => {
    const files = blocks(page).filter((text) => text.includes('headgate.flags.v1'));
    expect(files.length).toBeGreaterThan(0);
    for (const text of files) {
      const { exit, err } = await headgate(['validate', '-'], text);
      expect([err, exit]).toEqual([expect.any(String), 0]);
    }
  });
});
