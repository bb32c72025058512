import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './bootstrap.mjs';
import { BootstrapFailure } from './failure.mjs';
import { npmEnvironment } from './machine.mjs';
import { runQuietly } from './run-quietly.mjs';

/**
 * A Node of another major version, from the npm package `node`, under .cache; returns the program. Kept once installed.
 *
 * @param {number} major
 */
export async function installNode(major) {
  const home = join(ROOT, '.cache', `node-${major}`);
  const program = join(home, 'node_modules', 'node', 'bin', 'node');
  if (existsSync(program)) return program;
  mkdirSync(home, { recursive: true });
  // the package fetches the program for this platform in an install script, which npm runs only when it is allowed
  writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, allowScripts: { node: true } }));
  try {
    await runQuietly('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', `node@${major}`], {
      cwd: home,
      env: npmEnvironment(process.env, join(ROOT, '.cache', 'npm')),
    });
  } catch (error) {
    throw new BootstrapFailure(
      `npm could not install node@${major}: ${error instanceof Error ? error.message : error}`,
      ['see that the npm registry of `npm config get registry` answers, then run the command again'],
    );
  }
  return program;
}
