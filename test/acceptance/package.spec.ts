import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type LocalRegistry, startLocalRegistry } from '../support/local-registry.js';
import { type ScriptedGateway, startScriptedGateway } from '../support/scripted-gateway.js';
import { SignedChannel } from '../support/signed-channel.js';

const ROOT = resolve('.');
const PUBLISHED = ['contracts', 'evaluation', 'trust', 'sdk'].map((name) => join(ROOT, 'libs', name));
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
/** tsc and npm are slow where many tests run. */
const PATIENCE_MS = 240_000;

const execute = promisify(execFile);

/** What a user does who never saw this repository: `npm install @headgate/sdk` in an empty folder, and five lines of code. */
describe('the published packages', () => {
  let folder: string;
  let registry: LocalRegistry;
  let gateway: ScriptedGateway;
  let channel: SignedChannel;
  let plain: string;
  let withOpenFeature: string;

  /** Nothing of the machine that runs the tests gets in, and nothing of npm stays behind. */
  const env = (): NodeJS.ProcessEnv => ({
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: folder,
    npm_config_cache: join(folder, 'npm-cache'),
    npm_config_userconfig: join(folder, 'npmrc'),
    npm_config_update_notifier: 'false',
  });
  const run = async (program: string, args: readonly string[], cwd: string): Promise<string> => {
    try {
      const { stdout } = await execute(program, args, { cwd, env: env() });
      return stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
    }
  };
  const install = async (name: string, ...packages: string[]): Promise<string> => {
    const project = join(folder, name);
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name, version: '1.0.0', private: true }));
    const settings = ['--no-audit', '--no-fund', '--ignore-scripts', `--registry=${registry.url}`];
    await run('npm', ['install', ...settings, ...packages], project);
    return project;
  };
  const options = (): string =>
    JSON.stringify({
      url: gateway.url,
      project: 'shop',
      channel: 'stable',
      root: channel.pin,
      instanceId: 'host-1',
      siteSalt: 'salt',
      telemetry: false,
    });
  const result = async (project: string, file: string, code: string): Promise<unknown> => {
    writeFileSync(join(project, file), code);
    return JSON.parse(await run(process.execPath, [file], project));
  };
  const check = async (
    project: string,
    files: Record<string, string>,
    ...settings: string[]
  ): Promise<void> => {
    for (const [name, code] of Object.entries(files)) writeFileSync(join(project, name), code);
    const strict = ['--noEmit', '--strict', '--target', 'es2022', '--exactOptionalPropertyTypes'];
    await run(process.execPath, [TSC, ...strict, ...settings, ...Object.keys(files)], project);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hg-package-'));
    const workDir = join(folder, 'registry');
    mkdirSync(workDir);
    channel = new SignedChannel();
    channel.commit(
      channel.document(1, {
        targeting: { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'on', 'off'] },
        metadata: { team: 'checkout' },
      }),
    );
    gateway = await startScriptedGateway({ onStream: (stream) => stream.send('state', channel.state()) });
    registry = await startLocalRegistry({ root: ROOT, packed: PUBLISHED, workDir, env: env() });
    plain = await install('plain', '@headgate/sdk', '@types/node');
    withOpenFeature = await install(
      'with-openfeature',
      '@headgate/sdk',
      '@openfeature/server-sdk',
      '@types/node',
    );
  }, PATIENCE_MS);
  afterAll(async () => {
    await registry?.close();
    await gateway?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const EVALUATE = `
    const headgate = connectHeadgate(${'OPTIONS'});
    headgate.ready(20_000).then(async (isReady) => {
      const values = [headgate.boolean('flag-1', false, { plan: 'pro' }), headgate.boolean('flag-1', true)];
      const { variant, reason } = headgate.details('flag-1', false, { plan: 'pro' });
      const direct = evaluate({ key: 'f', state: 'ENABLED', variants: { a: 1 }, defaultVariant: 'a' }, {}).value;
      await headgate.close();
      console.log(JSON.stringify({ isReady, values, variant, reason, direct }));
    });`;
  const EVALUATED = {
    isReady: true,
    values: [true, false],
    variant: 'on',
    reason: 'TARGETING_MATCH',
    direct: 1,
  };

  it(
    'install with everything they need, and nothing that they do not',
    () => {
      expect(registry.missing).toEqual([]);
      expect(readdirSync(join(plain, 'node_modules', '@headgate')).sort()).toEqual([
        'contracts',
        'evaluation',
        'sdk',
        'trust',
      ]);
      expect(existsSync(join(plain, 'node_modules', '@openfeature'))).toBe(false);
      for (const name of ['contracts', 'evaluation', 'trust', 'sdk']) {
        const files = readdirSync(join(plain, 'node_modules', '@headgate', name), {
          recursive: true,
        }) as string[];
        expect(files).toContain('LICENSE');
        expect(files.filter((file) => /\.(spec|fixture)\.|tsbuildinfo|tsconfig/.test(file))).toEqual([]);
      }
    },
    PATIENCE_MS,
  );

  it(
    'verify and evaluate, imported',
    async () => {
      const code = `
      import { connectHeadgate } from '@headgate/sdk';
      import { evaluate } from '@headgate/evaluation';
      ${EVALUATE.replace('OPTIONS', options())}`;
      expect(await result(plain, 'main.mjs', code)).toEqual(EVALUATED);
    },
    PATIENCE_MS,
  );

  it(
    'verify and evaluate, required',
    async () => {
      const code = `
      const { connectHeadgate } = require('@headgate/sdk');
      const { evaluate } = require('@headgate/evaluation');
      ${EVALUATE.replace('OPTIONS', options())}`;
      expect(await result(plain, 'main.cjs', code)).toEqual(EVALUATED);
    },
    PATIENCE_MS,
  );

  const PROVIDE = `
    (async () => {
      await OpenFeature.setProviderAndWait(headgateProvider(${'OPTIONS'}));
      const client = OpenFeature.getClient();
      const { value, variant, flagMetadata } = await client.getBooleanDetails('flag-1', false, { plan: 'pro' });
      await OpenFeature.close();
      console.log(JSON.stringify({ value, variant, team: flagMetadata.team, set: flagMetadata.flagSetId }));
    })();`;
  const PROVIDED = { value: true, variant: 'on', team: 'checkout', set: 'shop/stable' };

  it(
    'are a provider of OpenFeature, imported',
    async () => {
      const code = `
      import { OpenFeature } from '@openfeature/server-sdk';
      import { headgateProvider } from '@headgate/sdk/openfeature';
      ${PROVIDE.replace('OPTIONS', options())}`;
      expect(await result(withOpenFeature, 'main.mjs', code)).toEqual(PROVIDED);
    },
    PATIENCE_MS,
  );

  it(
    'are a provider of OpenFeature, required',
    async () => {
      const code = `
      const { OpenFeature } = require('@openfeature/server-sdk');
      const { headgateProvider } = require('@headgate/sdk/openfeature');
      ${PROVIDE.replace('OPTIONS', options())}`;
      expect(await result(withOpenFeature, 'main.cjs', code)).toEqual(PROVIDED);
    },
    PATIENCE_MS,
  );

  const TYPED = `
    import { connectHeadgate, type FlagDetails, type Headgate, openTestHeadgate } from '@headgate/sdk';
    import { evaluate } from '@headgate/evaluation';
    const headgate: Headgate = connectHeadgate({ project: 'p', channel: 'c', root: 'r', instanceId: 'i' });
    const on: boolean = headgate.boolean('a', false, { plan: 'pro' });
    const details: FlagDetails<number> = headgate.details('a', 7 as number);
    const shape: { size: number } = headgate.object('a', { size: 1 });
    // @ts-expect-error: a number is no default of a boolean flag
    headgate.boolean('a', 1);
    export const all = [on, details.metadata.team, shape.size, openTestHeadgate({ flags: { a: true } }), evaluate];`;

  it.each([
    ['NodeNext', ['--module', 'nodenext']],
    ['a bundler', ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ])(
    'have types for %s, theirs and those of what they need checked too',
    async (_name, settings) => {
      const files = { 'typed.ts': TYPED, ...(settings[1] === 'nodenext' ? { 'typed.cts': TYPED } : {}) };
      await check(plain, files, '--types', 'node', ...settings);
    },
    PATIENCE_MS,
  );

  it.each([
    ['NodeNext', ['--module', 'nodenext']],
    ['a bundler', ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ])(
    'have types of the provider for %s',
    async (_name, settings) => {
      const code = `
      import { OpenFeature, type Provider } from '@openfeature/server-sdk';
      import { flagErrorHook, HeadgateProvider, headgateProvider } from '@headgate/sdk/openfeature';
      const provider = headgateProvider({ project: 'p', channel: 'c', root: 'r', instanceId: 'i', initTimeoutMs: 500 });
      const asProvider: Provider = new HeadgateProvider(provider.headgate, { staleAfterMs: 1 });
      OpenFeature.addHooks(flagErrorHook(provider.headgate));
      export const set = [OpenFeature.setProvider(provider), asProvider];`;
      await check(withOpenFeature, { 'provider.ts': code }, '--types', 'node', ...settings);
    },
    PATIENCE_MS,
  );
});
