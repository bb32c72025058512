import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BootstrapFailure } from './failure.mjs';
import { runQuietly } from './run-quietly.mjs';

/** @typedef {import('./apt-sources.mjs').AptSource} AptSource */

const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
  '/etc/apt/trusted.gpg.d/debian-archive-keyring.gpg',
];

const DEBIAN_ARCHITECTURES = new Map([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
  ['arm', 'armhf'],
  ['ppc64', 'ppc64el'],
  ['riscv64', 'riscv64'],
  ['s390x', 's390x'],
]);

/**
 * Downloads one package of one Debian suite and unpacks it; returns the folder that holds its files. Signatures are
 * checked by apt itself. Uses a private apt tree under `workDir`, so it needs no root and touches nothing of the
 * machine's own apt; the tree is removed before each try and after a good one.
 *
 * @param {{ readonly name: string, readonly suite: string, readonly source: AptSource, readonly workDir: string,
 *   readonly arch?: string }} wanted
 */
export async function fetchDebianPackage({ name, suite, source, workDir, arch = process.arch }) {
  const architecture = DEBIAN_ARCHITECTURES.get(arch);
  if (!architecture) throw new BootstrapFailure(`Debian has no packages for ${arch}`, []);
  rmSync(workDir, { recursive: true, force: true });
  const configFile = writePrivateTree({ suite, source, workDir, architecture });
  const apt = (/** @type {string[]} */ ...args) =>
    runQuietly('apt-get', ['-c', configFile, '-qq', ...args], {
      cwd: workDir,
      env: { ...process.env, LC_ALL: 'C' },
      timeoutMs: 180_000,
    });
  await apt('-o', 'APT::Update::Error-Mode=any', 'update');
  await apt('download', name);
  const archive = readdirSync(workDir).find((file) => file.endsWith('.deb'));
  if (!archive) throw new Error(`apt-get downloaded no ${name} from ${suite}`);
  const unpacked = join(workDir, 'unpacked');
  await runQuietly('dpkg-deb', ['-x', join(workDir, archive), unpacked]);
  return unpacked;
}

/**
 * The machine's own apt settings (a proxy, its certificates) stay in force; only places are moved, and the hooks that
 * belong to the machine's lists and packages are taken out.
 *
 * @param {{ readonly suite: string, readonly source: AptSource, readonly workDir: string, readonly architecture: string }} tree
 */
function writePrivateTree({ suite, source, workDir, architecture }) {
  const at = (/** @type {string[]} */ ...parts) => join(workDir, ...parts);
  for (const folder of [
    'etc/apt.conf.d',
    'etc/preferences.d',
    'state/lists/partial',
    'cache/archives/partial',
  ]) {
    mkdirSync(at(folder), { recursive: true });
  }
  writeFileSync(at('status'), '');
  const trust = source.isTrusted ? 'trusted=yes' : `signed-by=${keyringFile(source.signedBy, at('key.asc'))}`;
  writeFileSync(at('etc/sources.list'), `deb [arch=${architecture} ${trust}] ${source.uri} ${suite} main\n`);
  const places = {
    'Dir::Etc': at('etc'),
    'Dir::Etc::sourcelist': at('etc/sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::Etc::netrc': '/etc/apt/auth.conf',
    'Dir::Etc::netrcparts': '/etc/apt/auth.conf.d',
    'Dir::State': at('state'),
    'Dir::State::status': at('status'),
    'Dir::Cache': at('cache'),
    'APT::Architecture': architecture,
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
    'Debug::NoLocking': 'true',
  };
  const hooks = ['APT::Update::Pre-Invoke', 'APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success'];
  const config = [
    ...[...hooks, 'DPkg::Post-Invoke', 'APT::Architectures'].map((name) => `#clear ${name};`),
    `APT::Architectures { "${architecture}"; };`,
    ...Object.entries(places).map(([name, value]) => `${name} "${value}";`),
  ];
  writeFileSync(at('apt.conf'), `${config.join('\n')}\n`);
  return at('apt.conf');
}

/**
 * @param {string | undefined} signedBy
 * @param {string} inlineFile where a key that stands in the source itself is written
 */
function keyringFile(signedBy, inlineFile) {
  if (signedBy?.includes('BEGIN PGP')) {
    writeFileSync(inlineFile, `${signedBy}\n`);
    return inlineFile;
  }
  const named = signedBy?.split(/[\s,]+/).filter((path) => path.startsWith('/')) ?? [];
  const keyring = [...named, ...KEYRINGS].find((path) => existsSync(path));
  if (keyring) return keyring;
  throw new BootstrapFailure('no keyring of the Debian archive on this machine', [
    'apt-get install debian-archive-keyring',
  ]);
}
