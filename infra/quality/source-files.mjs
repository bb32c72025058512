import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Files of the working tree that are in git or would be (new ones that are not ignored), relative to `root`.
 *
 * @param {string} root
 * @param {readonly string[]} [patterns] git's pathspecs
 */
export function sourceFiles(root, patterns = []) {
  // a clone may belong to another user than the one who checks it; git refuses that unless told
  const args = [
    '-c',
    'safe.directory=*',
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
    '--',
  ];
  return execFileSync('git', [...args, ...patterns], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
    .split('\0')
    .filter((file) => file !== '' && existsSync(join(root, file)));
}

/**
 * A spec, or a fixture beside specs (`*.fixture.ts`), which only they import and which is not built.
 *
 * @param {string} file
 */
export function isSpec(file) {
  return /\.(spec|fixture)\.ts$/.test(file);
}
