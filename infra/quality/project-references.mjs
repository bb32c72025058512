import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { isSpec } from './source-files.mjs';

const IMPORT = /(?:from|import)\s*\(?\s*'@headgate\/([a-z-]+)'/g;

/**
 * Packages of this repository that a project imports without a reference to them in its tsconfig.json. `tsc -b` builds
 * such a project beside what it needs: a cold build then fails now and then, and in projects that did refer to it too.
 *
 * @param {string} root
 * @param {readonly string[]} files sources, relative to `root`
 */
export function findMissingReferences(root, files) {
  const projects = projectsOf(root);
  const offences = new Set();
  let seen = 0;
  for (const [folder, references] of projects) {
    for (const file of files.filter(
      (name) => name.startsWith(`${folder}/`) && name.endsWith('.ts') && !isSpec(name),
    )) {
      seen += 1;
      for (const [, name = ''] of readFileSync(join(root, file), 'utf8').matchAll(IMPORT)) {
        const needed = [`libs/${name}`, `apps/${name}`].find((other) => projects.has(other));
        if (!needed || needed === folder || references.has(needed)) continue;
        offences.add(`${folder}/tsconfig.json: has no reference to ${needed}, which ${file} imports`);
      }
    }
  }
  return { seen, offences: [...offences] };
}

/**
 * The projects of the root tsconfig.json, each with the folders that it refers to.
 *
 * @param {string} root
 * @returns {ReadonlyMap<string, ReadonlySet<string>>}
 */
function projectsOf(root) {
  const folders = referencesOf(root, '');
  return new Map([...folders].map((folder) => [folder, referencesOf(root, folder)]));
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {ReadonlySet<string>}
 */
function referencesOf(root, folder) {
  const text = readFileSync(join(root, folder, 'tsconfig.json'), 'utf8');
  // JSON with comments; a whole-line comment is all that stands in these files
  /** @type {{ references?: readonly { readonly path: string }[] }} */
  const { references = [] } = JSON.parse(text.replace(/^\s*\/\/.*$/gm, ''));
  return new Set(
    references.map(({ path }) => {
      const target = normalize(join(folder, path));
      return target.endsWith('.json') ? dirname(target) : target.replace(/\/$/, '');
    }),
  );
}
