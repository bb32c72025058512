import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, SourceTextModule } from 'node:vm';
import { transformSync } from '@swc/core';

const SOURCES = join(process.cwd(), 'libs', 'evaluation', 'src');

const sourceFiles = (): readonly string[] =>
  readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'),
  );

const compiled = (file: string): string =>
  transformSync(readFileSync(file, 'utf8'), {
    filename: file,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
  }).code;

/** Runs in a context that has JavaScript and nothing else: no Node, no browser, and no code from texts. */
const loadAlone = async (entry: string, code: (file: string) => string = compiled) => {
  const context = createContext({}, { codeGeneration: { strings: false, wasm: false } });
  const modules = new Map<string, SourceTextModule>();
  const moduleAt = (file: string): SourceTextModule => {
    const known = modules.get(file);
    if (known) return known;
    const made = new SourceTextModule(code(file), { context, identifier: file });
    modules.set(file, made);
    return made;
  };
  const root = moduleAt(entry);
  await root.link((specifier, from) => {
    if (!specifier.startsWith('.')) throw new Error(`${from.identifier} imports ${specifier}`);
    return moduleAt(join(from.identifier, '..', specifier).replace(/\.js$/, '.ts'));
  });
  await root.evaluate();
  return { context, exports: root.namespace as typeof import('./index.js') };
};

describe('libs/evaluation', () => {
  it('runs where there is neither Node nor a browser, and no code may come from a text', async () => {
    const { exports } = await loadAlone(join(SOURCES, 'index.ts'));
    const flag = {
      key: 'soft-launch',
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      targeting: {
        if: [
          {
            and: [
              { sem_ver: [{ var: 'version' }, '>=', '1.4.0-rc.1'] },
              { some: [{ var: 'groups' }, { '==': [{ cat: [{ var: '' }, '!'] }, 'beta!'] }] },
            ],
          },
          { fractional: [{ cat: ['ß', { var: 'targetingKey' }] }, ['on', 1], ['off', 0]] },
          null,
        ],
      },
    } as const;
    const context = { targetingKey: 'ключ', version: '1.4.0', groups: ['beta'] };
    const served = { variant: 'on', value: true, reason: 'SPLIT' };
    expect(exports.compileFlag(flag, { now: () => 0 })(context)).toMatchObject(served);
    expect(exports.evaluate(flag, context)).toMatchObject(served);
    expect(exports.explainFlag(flag, context).decidedBy).toBe('/if/1/fractional/1');
    expect(exports.checkRule(flag.targeting, ['on', 'off']).problems).toEqual([]);
  });

  it('would not, if it asked for a global of Node, a package, or made code from text (control)', async () => {
    const alone = (code: string) => loadAlone('/alone.ts', () => code);
    await expect(alone('export const encoder = new TextEncoder();')).rejects.toThrow('TextEncoder');
    await expect(alone("import 'node:fs';")).rejects.toThrow('imports node:fs');
    await expect(alone("import semver from 'semver'; export { semver };")).rejects.toThrow('imports semver');
    await expect(alone("export const one = new Function('return 1')();")).rejects.toThrow('Code generation');
  });

  it('depends on nothing, and makes no code from text', () => {
    const manifest = JSON.parse(readFileSync(join(SOURCES, '..', 'package.json'), 'utf8'));
    expect([manifest.dependencies, manifest.peerDependencies]).toEqual([{}, undefined]);
    const makesCode = /\beval\s*\(|\bnew\s+Function\b|\bFunction\s*\(|\bimport\s*\(|setTimeout\s*\(/;
    const files = sourceFiles();
    expect(files.length).toBeGreaterThan(20);
    expect(
      files.filter((file) => makesCode.test(withoutComments(readFileSync(join(SOURCES, file), 'utf8')))),
    ).toEqual([]);
    // the control
    for (const code of ['eval ("1")', 'new Function("a")', 'Function("a")', 'await import("x")']) {
      expect([code, makesCode.test(code)]).toEqual([code, true]);
    }
  });
});

const withoutComments = (code: string): string => code.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
