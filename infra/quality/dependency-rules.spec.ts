import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Cruise, cruise } from './cruise.mjs';
import rules from './dependency-rules.cjs';

interface Seed {
  readonly rule: string;
  readonly file: string;
  readonly imports: string;
}

const seed = (rule: string, file: string, imports: string): Seed => ({ rule, file, imports });

/** One offence per rule, each in a file of its own. */
const SEEDS: readonly Seed[] = [
  seed('floor-of-contracts', 'libs/contracts/src/seed.ts', '@headgate/domain'),
  seed('floor-of-domain', 'libs/domain/src/seed.ts', '@headgate/judge'),
  seed('floor-of-evaluation', 'libs/evaluation/src/seed.ts', '@headgate/streams'),
  seed('floor-of-judge', 'libs/judge/src/seed.ts', '@headgate/read-model'),
  seed('floor-of-trust', 'libs/trust/src/seed.ts', '@headgate/domain'),
  seed('floor-of-streams', 'libs/streams/src/seed.ts', '@headgate/event-store'),
  seed('floor-of-flag-file', 'libs/flag-file/src/seed.ts', '@headgate/streams'),
  seed('floor-of-service-kit', 'libs/service-kit/src/seed.ts', '@headgate/read-model'),
  seed('floor-of-embedded', 'libs/embedded/src/seed.ts', '@headgate/sdk'),
  seed('floor-of-read-model', 'libs/read-model/src/seed.ts', '@headgate/event-store'),
  seed('floor-of-event-store', 'libs/event-store/src/seed.ts', '@headgate/read-model'),
  seed('floor-of-channel-stream', 'libs/channel-stream/src/seed.ts', '@headgate/event-store'),
  seed('floor-of-sdk', 'libs/sdk/src/seed.ts', '@headgate/service-kit'),
  seed('floor-of-testing', 'libs/testing/src/seed.ts', '@headgate/streams'),
  seed('contracts-need-only-zod', 'libs/contracts/src/seed-io.ts', 'node:fs'),
  seed('contracts-need-only-zod', 'libs/contracts/src/seed-package.ts', 'rxjs'),
  seed('pure-libs-touch-no-machine', 'libs/domain/src/seed-clock.ts', 'node:perf_hooks'),
  seed('pure-libs-need-no-package', 'libs/judge/src/seed-package.ts', 'rxjs'),
  seed('flag-files-touch-no-machine', 'libs/flag-file/src/seed-io.ts', 'node:fs'),
  seed('trust-only-computes', 'libs/trust/src/seed-io.ts', 'node:fs'),
  seed('app-never-app', 'apps/control/src/seed.ts', '@headgate/gateway'),
  seed('app-never-app', 'apps/cli/src/seed.ts', '@headgate/control'),
  seed('standalone-leaves-clients-out', 'apps/standalone/src/seed.ts', '@headgate/demo'),
  seed('clients-talk-http', 'apps/demo/src/seed.ts', '@headgate/event-store'),
  seed('lib-never-app', 'libs/sdk/src/seed-app.ts', '@headgate/gateway'),
  seed('nest-only-at-the-edge', 'libs/event-store/src/seed-nest.ts', '@nestjs/common'),
  seed('postgres-only-in-read-model', 'apps/projector/src/seed.ts', 'pg'),
  seed('postgres-only-in-read-model', 'libs/event-store/src/seed-kysely.ts', 'kysely'),
  seed('nats-only-in-streams', 'apps/publisher/src/seed.ts', '@nats-io/jetstream'),
  seed('other-packages-by-name', 'apps/gateway/src/seed.ts', '../../../libs/trust/src/index.js'),
  seed('testing-only-in-specs', 'apps/rollouts/src/seed.ts', '@headgate/testing'),
  seed('specs-are-not-imported', 'apps/analysis/src/seed.ts', './clean.spec.js'),
  seed('product-without-its-tests', 'apps/collector/src/seed.ts', '../../../test/support/clean.js'),
  seed('bootstrap-on-built-ins', 'infra/bootstrap/seed.mjs', 'zod'),
  seed('no-circle', 'libs/read-model/src/seed-circle.ts', './seed-circle-back.js'),
  seed('no-unresolvable', 'libs/read-model/src/seed-missing.ts', './nowhere.js'),
];

const LIBS = [
  ...['contracts', 'domain', 'evaluation', 'judge', 'trust', 'streams', 'service-kit', 'embedded'],
  ...['read-model', 'event-store', 'channel-stream', 'sdk', 'testing', 'flag-file'],
];
const APPS = [
  ...['analysis', 'cli', 'collector', 'control', 'demo', 'gateway', 'projector', 'publisher', 'rollouts'],
  'standalone',
];
const PACKAGES = ['zod', 'rxjs', 'pg', 'kysely', '@nestjs/common', '@nats-io/jetstream'];

/** What each floor may do: a tree without a seed holds these, and nothing may be reported. */
const CLEAN: Readonly<Record<string, readonly string[]>> = {
  'libs/contracts/src/clean.ts': ['zod', './index.js'],
  'libs/domain/src/clean.ts': ['@headgate/contracts', '@headgate/evaluation'],
  'libs/trust/src/clean.ts': ['@headgate/contracts', 'node:crypto', 'node:zlib'],
  'libs/flag-file/src/clean.ts': ['@headgate/domain', '@headgate/evaluation', 'zod'],
  'libs/streams/src/clean.ts': ['@headgate/domain', '@nats-io/jetstream', 'node:timers'],
  'libs/event-store/src/clean.ts': ['@headgate/streams', '@headgate/domain', '@headgate/trust', 'node:fs'],
  'libs/read-model/src/clean.ts': ['@headgate/domain', 'pg', 'kysely'],
  'libs/service-kit/src/clean.ts': ['@nestjs/common', '@headgate/contracts'],
  'libs/judge/src/clean.spec.ts': ['@headgate/testing', 'node:fs', './clean.fixture.js'],
  'libs/judge/src/clean.fixture.ts': ['@headgate/testing', '../../../test/support/clean.js'],
  'apps/analysis/src/clean.spec.ts': ['@headgate/testing'],
  'apps/control/src/clean.ts': ['@headgate/service-kit', '@headgate/event-store', '@nestjs/common'],
  'apps/standalone/src/clean.ts': ['@headgate/control', '@headgate/gateway'],
  'apps/demo/src/clean.ts': ['@headgate/sdk', '@headgate/embedded', 'node:child_process'],
  'test/support/clean.ts': ['@headgate/testing', '@headgate/streams', 'zod'],
  'infra/bootstrap/clean.mjs': ['node:fs'],
};

describe('dependency rules', () => {
  let root: string;
  const files: string[] = [];

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'headgate-rules-'));
    layOutPackages(root);
    for (const [file, imports] of Object.entries(CLEAN)) files.push(write(root, file, imports));
    for (const name of LIBS) files.push(write(root, `libs/${name}/src/index.ts`, []));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('let a tree pass that keeps to its floors, having read every file of it', () => {
    const { seen, violations } = cruise(root, files);
    expect(violations).toEqual([]);
    expect(seen).toEqual(files);
  });

  describe('over a tree with one offence per rule', () => {
    let seeded: Cruise;

    beforeAll(() => {
      const offenders = SEEDS.map(({ file, imports }) => write(root, file, [imports]));
      write(root, 'libs/read-model/src/seed-circle-back.ts', ['./seed-circle.js']);
      seeded = cruise(root, [...files, ...offenders]);
    });

    test.each(SEEDS)('$rule bites: $file imports $imports', ({ rule, file }) => {
      expect(rulesBroken(seeded, file)).toContain(rule);
    });

    test('report nothing but the offences', () => {
      const known = new Set([...SEEDS.map(({ file }) => file), 'libs/read-model/src/seed-circle-back.ts']);
      expect(seeded.violations.filter(({ from }) => !known.has(from))).toEqual([]);
    });

    test('explain each offence', () => {
      expect(seeded.violations.filter(({ why }) => why === '')).toEqual([]);
    });
  });

  test('know every lib and every app of this repository', () => {
    const folders = (kind: string) =>
      readdirSync(join(process.cwd(), kind)).filter((name) =>
        existsSync(join(process.cwd(), kind, name, 'package.json')),
      );
    expect(folders('libs').sort()).toEqual([...LIBS].sort());
    expect(folders('apps').sort()).toEqual([...APPS].sort());
  });

  test('are all seeded here', () => {
    const seededRules = [...new Set(SEEDS.map(({ rule }) => rule))].sort();
    expect(rules.forbidden.map(({ name }: { name: string }) => name).sort()).toEqual(seededRules);
  });
});

/** A circle is reported once, at either of its files. */
function rulesBroken({ violations }: Cruise, file: string): readonly string[] {
  return violations.filter(({ from, to }) => from === file || to === file).map(({ rule }) => rule);
}

function write(root: string, file: string, imports: readonly string[]): string {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${imports.map((name) => `import '${name}';`).join('\n')}\nexport {};\n`);
  return file;
}

/** The layout of the real tree: workspaces linked under node_modules, entered through the dist that exports names. */
function layOutPackages(root: string): void {
  const linked = [...LIBS.map((name) => ['libs', name]), ...APPS.map((name) => ['apps', name])];
  mkdirSync(join(root, 'node_modules', '@headgate'), { recursive: true });
  for (const [kind = '', name = ''] of linked) {
    layOutPackage(join(root, kind, name), `@headgate/${name}`);
    symlinkSync(join('..', '..', kind, name), join(root, 'node_modules', '@headgate', name));
  }
  for (const name of PACKAGES) layOutPackage(join(root, 'node_modules', name), name);
}

function layOutPackage(folder: string, name: string): void {
  mkdirSync(join(folder, 'dist'), { recursive: true });
  writeFileSync(join(folder, 'dist', 'index.js'), 'export {};\n');
  const exports = { '.': { types: './dist/index.d.ts', default: './dist/index.js' } };
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name, version: '1.0.0', type: 'module', exports }),
  );
}
