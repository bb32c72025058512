// `node infra/bootstrap/run.mjs demo|start|test|test:node24|bench [arguments]`: prepares the clone, then runs the real thing with
// signals passed on and its exit code kept.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { bootstrap, orExplain, ROOT } from './bootstrap.mjs';
import { leftBehind, RUN_MARK } from './left-behind.mjs';
import { installNode } from './other-node.mjs';

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
const outer = process.env[RUN_MARK];
const run = `${outer ? `${outer}/` : ''}${randomUUID()}`;
const child = spawn(node, [...(entry.flags ?? []), join(ROOT, entry.program), ...rest], {
  stdio: 'inherit',
  env: { ...process.env, HEADGATE_NATS_BIN: nats.path, ...(entry.isWatched ? { [RUN_MARK]: run } : {}) },
});

// A terminal's Ctrl-C reaches the child by itself; passing it on too would look like an impatient second one.
const passedOn = /** @type {const} */ (['SIGTERM', 'SIGHUP', 'SIGINT']);
for (const signal of passedOn) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}

child.on('close', async (code, signal) => {
  const remaining = entry.isWatched ? await leftBehind(run) : [];
  for (const { pid, command } of remaining ?? []) {
    process.stderr.write(`left behind: process ${pid}: ${command}\n`);
    process.kill(pid, 'SIGKILL');
  }
  if (remaining?.length) process.exit(code || 1);
  if (signal === null) process.exit(code ?? 1);
  for (const name of passedOn) process.removeAllListeners(name);
  process.kill(process.pid, signal);
});
