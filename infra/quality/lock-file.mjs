/** @typedef {{ resolved?: string, link?: boolean } & Manifest} Locked */
/** @typedef {Partial<Record<typeof DEPENDENCY_KINDS[number], Record<string, string>>>} Manifest */

const DEPENDENCY_KINDS = /** @type {const} */ ([
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
]);

/**
 * Packages of a lock file that name the address they come from: such a lock installs from that address alone.
 *
 * @param {string} lockText
 */
export function lockedAddresses(lockText) {
  return Object.entries(packagesOf(lockText))
    .filter(([, { resolved, link }]) => resolved !== undefined && !link)
    .map(
      ([path]) =>
        `package-lock.json: ${path} names a download address; the .npmrc of this project leaves it out`,
    );
}

/**
 * Where the lock file and the package.json of the root or of a workspace disagree about dependencies, or a workspace is
 * not in the lock file. The bootstrap's install would paper over it.
 *
 * @param {string} lockText
 * @param {ReadonlyMap<string, string>} manifests folder ('' for the root) to the text of its package.json
 */
export function lockDisagreements(lockText, manifests) {
  const packages = packagesOf(lockText);
  return [...manifests].flatMap(([folder, text]) => {
    const name = `${folder === '' ? '' : `${folder}/`}package.json`;
    const locked = packages[folder];
    if (!locked) return [`${name}: not in package-lock.json; run npm install and commit both`];
    /** @type {Manifest} */
    const manifest = JSON.parse(text);
    return DEPENDENCY_KINDS.flatMap((kind) =>
      differences(manifest[kind] ?? {}, locked[kind] ?? {}).map(
        (dependency) =>
          `${name}: ${kind} differ from package-lock.json in ${dependency}; run npm install and commit both`,
      ),
    );
  });
}

/**
 * @param {Record<string, string>} a
 * @param {Record<string, string>} b
 */
function differences(a, b) {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
}

/**
 * @param {string} lockText
 * @returns {Record<string, Locked>}
 */
function packagesOf(lockText) {
  return JSON.parse(lockText).packages ?? {};
}
