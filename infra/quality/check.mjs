// `npm run check`: every step runs even when an earlier one fails, and a step that saw too few files fails too: a tool
// that looks at nothing and exits 0 must not pass.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, orExplain } from '../bootstrap/bootstrap.mjs';
import { isSpec, sourceFiles } from './source-files.mjs';

await orExplain(() => bootstrap({ compiles: false }));

// these need what the bootstrap has just installed
const { findMachineTexts, machineTexts } = await import('./addresses.mjs');
const { cruise } = await import('./cruise.mjs');
const { lockDisagreements, lockedAddresses } = await import('./lock-file.mjs');
const { findMissingReferences } = await import('./project-references.mjs');
const { ROOT, runTool } = await import('./run-tool.mjs');
const { findValueImportsOfContracts } = await import('./type-only-imports.mjs');

/**
 * @typedef {object} Outcome
 * @property {number} saw files the step looked at
 * @property {number} [expected] files it had to look at; at least one when absent
 * @property {string} problems empty when all is well
 */

const code = sourceFiles(ROOT, ['*.ts', '*.mjs', '*.js', '*.cjs']);
const modules = code.filter((file) => /^(libs|apps|test|infra)\//.test(file));
const sources = modules.filter((file) => /^(libs|apps)\/[^/]+\/src\/.*\.ts$/.test(file) && !isSpec(file));
const checkedOnly = modules.filter(
  (file) => file.endsWith('.ts') && (isSpec(file) || /^(test|infra)\//.test(file)),
);

/** @type {readonly (readonly [name: string, step: () => Outcome])[]} */
const STEPS = [
  ['format and lint (biome)', biome],
  ['types (tsc -b)', types],
  ['references between projects', references],
  ['types of specs and test/ (tsc -p tsconfig.spec.json)', specTypes],
  ['dependency rules (dependency-cruiser)', dependencyRules],
  ['contracts as types only', contractsAsTypes],
  ['dead code (knip)', deadCode],
  ['lock file agrees and names no address', lockFile],
  ['no addresses of this machine', addresses],
];

let failures = 0;
for (const [name, step] of STEPS) {
  const { saw, expected = 1, problems } = step();
  const blind = saw < expected ? `saw ${saw} files, expected ${expected}` : '';
  const isGood = problems === '' && blind === '';
  if (!isGood) failures += 1;
  process.stdout.write(`${isGood ? 'ok  ' : 'FAIL'} ${name}: ${saw} files\n`);
  for (const line of [problems, blind].filter(Boolean))
    process.stdout.write(`${line.replace(/^/gm, '     ')}\n`);
}
process.stdout.write(
  failures === 0 ? 'check: all steps passed\n' : `check: ${failures} of ${STEPS.length} steps failed\n`,
);
process.exitCode = failures === 0 ? 0 : 1;

/** @returns {Outcome} */
function biome() {
  const {
    code: exit,
    stdout,
    stderr,
  } = runTool('@biomejs/biome/bin/biome', [
    'check',
    '--error-on-warnings',
    '--max-diagnostics=200',
    '--reporter=json',
  ]);
  const start = stdout.indexOf('{');
  if (start < 0) return { saw: 0, problems: stdout + stderr };
  /** @type {{ summary: { unchanged: number, changed: number }, diagnostics: { severity: string, category: string,
   *   message: string, location: { path: string, start: { line: number } } }[] }} */
  const { summary, diagnostics } = JSON.parse(stdout.slice(start));
  const lines = diagnostics.map(({ category, message, location: { path, start } }) =>
    category === 'format' ? `${path}: not formatted` : `${path}:${start.line}: ${message} (${category})`,
  );
  const problems =
    exit === 0 ? '' : [...lines, 'repair most of it with: npx biome check --write <path>'].join('\n');
  return { saw: summary.unchanged + summary.changed, expected: code.length, problems };
}

/** @returns {Outcome} */
function types() {
  const { code: exit, stdout, stderr } = runTool('typescript/bin/tsc', ['-b', '--pretty', 'false']);
  const built = sources.filter((file) =>
    existsSync(join(ROOT, file.replace('/src/', '/dist/').replace(/\.ts$/, '.js'))),
  );
  return { saw: built.length, expected: sources.length, problems: exit === 0 ? '' : stdout + stderr };
}

/** @returns {Outcome} */
function references() {
  const { seen, offences } = findMissingReferences(ROOT, modules);
  return { saw: seen, expected: sources.length, problems: offences.join('\n') };
}

/** @returns {Outcome} */
function specTypes() {
  const args = ['-p', 'tsconfig.spec.json', '--listFiles', '--pretty', 'false'];
  const { code: exit, stdout, stderr } = runTool('typescript/bin/tsc', args);
  const lines = stdout.split('\n');
  const listed = new Set(lines.filter((line) => existsSync(line)));
  const saw = checkedOnly.filter((file) => listed.has(join(ROOT, file))).length;
  const complaints = lines.filter((line) => line !== '' && !listed.has(line)).join('\n');
  return { saw, expected: checkedOnly.length, problems: exit === 0 ? '' : complaints + stderr };
}

/** @returns {Outcome} */
function dependencyRules() {
  const { seen, violations } = cruise(ROOT, modules);
  const lines = violations.map(({ rule, from, to, why }) => `${from} -> ${to}: ${rule} (${why})`);
  return { saw: seen.length, expected: modules.length, problems: lines.join('\n') };
}

/** @returns {Outcome} */
function contractsAsTypes() {
  const { seen, offences } = findValueImportsOfContracts(ROOT, sources);
  return { saw: seen.length, expected: 3, problems: offences.join('\n') };
}

/** @returns {Outcome} */
function deadCode() {
  const reporter = join(ROOT, 'infra', 'quality', 'knip-report.mjs');
  const { stdout, stderr } = runTool('knip/bin/knip.js', [
    '--no-progress',
    '--no-config-hints',
    '--reporter',
    reporter,
  ]);
  if (!stdout.startsWith('{')) return { saw: 0, problems: stdout + stderr };
  /** @type {{ processed: number, issues: { kind: string, filePath: string, symbol: string, line?: number }[] }} */
  const { processed, issues } = JSON.parse(stdout);
  const lines = issues.map(({ kind, filePath, symbol, line }) => {
    const file = filePath.replace(`${ROOT}/`, '');
    return `${file}${line ? `:${line}` : ''}: unused or unlisted (${kind}): ${symbol}`;
  });
  return { saw: processed, expected: sources.length, problems: lines.join('\n') };
}

/** @returns {Outcome} */
function lockFile() {
  const lockText = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
  const files = sourceFiles(ROOT, ['package.json', 'libs/*/package.json', 'apps/*/package.json']);
  const manifests = new Map(
    files.map((file) => [file.replace(/\/?package\.json$/, ''), readFileSync(join(ROOT, file), 'utf8')]),
  );
  const problems = [...lockDisagreements(lockText, manifests), ...lockedAddresses(lockText)];
  return { saw: files.length, expected: 2, problems: problems.join('\n') };
}

/** @returns {Outcome} */
function addresses() {
  const files = sourceFiles(ROOT);
  const registry = execFileSync('npm', ['config', 'get', 'registry'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
  const problems = findMachineTexts(ROOT, files, machineTexts({ root: ROOT, registry }));
  return { saw: files.length, problems: problems.join('\n') };
}
