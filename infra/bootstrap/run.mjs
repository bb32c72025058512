// What the scripts of package.json call: prepares the clone, then runs the real thing with signals passed on and its exit
// code kept.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, orExplain, ROOT } from './bootstrap.mjs';
import { installNode } from './other-node.mjs';
import { supervise } from './supervise.mjs';

/**
 * What a word runs. `isWatched`: it must not leave a process behind, and fails when it does. `node`: with another Node
 * than the one that runs this. `folder`: the first argument names a program in it, which `tsc -b` emits to test/dist
 * (test/tsconfig.json).
 *
 * @typedef {object} Entry
 * @property {readonly string[]} [flags]
 * @property {string} [program]
 * @property {string} [folder]
 * @property {boolean} [isWatched]
 * @property {number} [node]
 */

// specs are ES modules; the flags go to jest alone, not through NODE_OPTIONS to every process that a spec starts
const JEST = {
  flags: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  program: 'node_modules/jest/bin/jest.js',
  isWatched: true,
};

/** @type {Readonly<Record<string, Entry>>} */
const ENTRIES = {
  demo: { program: 'apps/demo/dist/main.js' },
  start: { program: 'apps/standalone/dist/main.js' },
  test: JEST,
  'test:node24': { ...JEST, node: 24 },
  conformance: { program: 'test/dist/conformance/conformance.js' },
  bench: { folder: 'bench', isWatched: true },
  simulation: { folder: 'simulation', isWatched: true },
};

const [word = '', ...rest] = process.argv.slice(2);
const entry = ENTRIES[word] ?? refuse(`run.mjs ${Object.keys(ENTRIES).join('|')} [arguments]`);
const program = entry.program ?? named(entry.folder ?? '', rest.shift());

const { nats, node } = await orExplain(async () => ({
  nats: await bootstrap(),
  node: entry.node ? await installNode(entry.node) : process.execPath,
}));
await supervise({
  node,
  args: [...(entry.flags ?? []), join(ROOT, program), ...rest],
  env: { ...process.env, HEADGATE_NATS_BIN: nats.path },
  isWatched: entry.isWatched ?? false,
});

/**
 * @param {string} folder
 * @param {string | undefined} name
 */
function named(folder, name) {
  const sources = readdirSync(join(ROOT, 'test', folder)).filter((file) => /^[a-z-]+\.ts$/.test(file));
  const names = sources.map((file) => file.replace(/\.ts$/, ''));
  if (name && names.includes(name)) return `test/dist/${folder}/${name}.js`;
  return refuse(`npm run ${folder} -- ${names.join('|')} [arguments]`);
}

/**
 * @param {string} usage
 * @returns {never}
 */
function refuse(usage) {
  process.stderr.write(`usage: ${usage}\n`);
  process.exit(2);
}
