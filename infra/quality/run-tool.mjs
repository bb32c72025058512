import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * Runs a program of node_modules with Node, in `cwd`, and returns its exit code and what it printed.
 *
 * @param {string} program path under node_modules
 * @param {readonly string[]} args
 * @param {string} [cwd]
 */
export function runTool(program, args, cwd = ROOT) {
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules', program), ...args],
    { cwd, encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } },
  );
  if (error) throw error;
  return { code: status ?? 1, stdout, stderr };
}
