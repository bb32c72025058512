// `node infra/bootstrap/run.mjs demo|start|test|test:node24|bench [arguments]`: prepares the clone, then runs the real thing with
// signals passed on and its exit code kept.
import { join } from 'node:path';
import { bootstrap, orExplain, ROOT } from './bootstrap.mjs';
import { installNode } from './other-node.mjs';
import { supervise } from './supervise.mjs';

/**
 * What a word runs. `isWatched`: it must not leave a process behind, and fails when it does. `node`: with another Node
 * than the one that runs this.
 *
 * @typedef {object} Entry
 * @property {readonly string[]} [flags]
 * @property {string} program
 * @property {boolean} isWatched
 * @property {number} [node]
 */

// specs are ES modules; the flags go to jest alone, not through NODE_OPTIONS to every process that a spec starts
const JEST = {
  flags: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  program: 'node_modules/jest/bin/jest.js',
  isWatched: true,
};

const ENTRIES = new Map(
  /** @type {[string, Entry][]} */ ([
    ['demo', { program: 'apps/demo/dist/main.js', isWatched: false }],
    ['start', { program: 'apps/standalone/dist/main.js', isWatched: false }],
    ['test', JEST],
    ['test:node24', { ...JEST, node: 24 }],
    // test/bench/run.mjs NAME finds the bench NAME, which `tsc -b` emitted to test/dist/bench (test/tsconfig.json)
    ['bench', { program: 'test/bench/run.mjs', isWatched: true }],
  ]),
);

const [word = '', ...rest] = process.argv.slice(2);
const entry = ENTRIES.get(word);
if (!entry) {
  process.stderr.write(`usage: node infra/bootstrap/run.mjs ${[...ENTRIES.keys()].join('|')} [arguments]\n`);
  process.exit(2);
}

const { nats, node } = await orExplain(async () => ({
  nats: await bootstrap(),
  node: entry.node ? await installNode(entry.node) : process.execPath,
}));
await supervise({
  node,
  args: [...(entry.flags ?? []), join(ROOT, entry.program), ...rest],
  env: { ...process.env, HEADGATE_NATS_BIN: nats.path },
  isWatched: entry.isWatched,
});
