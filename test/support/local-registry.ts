import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface LocalRegistry {
  readonly url: string;
  /** Names that were asked for and are not served. */
  readonly missing: readonly string[];
  close(): Promise<void>;
}

export interface LocalRegistryOptions {
  /** The checkout: its `package-lock.json` says which versions lie in its `node_modules`. */
  readonly root: string;
  /** Workspaces by folder, packed as `npm publish` would pack them. */
  readonly packed: readonly string[];
  /** For tarballs; the caller's to remove. */
  readonly workDir: string;
  /** Settings of npm that keep it to itself. */
  readonly env: NodeJS.ProcessEnv;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly scripts?: unknown;
}

interface Packed {
  readonly manifest: Manifest;
  readonly file: string;
}

/**
 * An npm registry on the loopback interface: what this checkout would publish, and the third-party packages that lie in its
 * `node_modules`. An installation from it is what a user gets, a dependency that nobody declared is missing, and no network
 * is needed.
 */
export const startLocalRegistry = async (options: LocalRegistryOptions): Promise<LocalRegistry> => {
  const own = new Map<string, Packed>();
  for (const folder of options.packed) {
    const packed = await packWorkspace(folder, options);
    own.set(packed.manifest.name, packed);
  }
  const foreign = foreignFolders(options.root);
  const tarballs = new Map<string, string>();
  const missing: string[] = [];
  let url = '';

  const versionsOf = async (name: string): Promise<Packed[]> => {
    const found = own.get(name);
    if (found !== undefined) return [found];
    return Promise.all((foreign.get(name) ?? []).map((folder) => packInstalled(folder, options.workDir)));
  };
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    const tarball = tarballs.get(path);
    if (tarball !== undefined) {
      response.end(readFileSync(tarball));
      return;
    }
    const name = decodeURIComponent(path.slice(1));
    const versions = await versionsOf(name);
    if (versions.length === 0) {
      missing.push(name);
      response.writeHead(404).end('{}');
      return;
    }
    const described = versions.map(({ manifest, file }) => {
      const tarballPath = `/tarballs/${relative(options.workDir, file)}`;
      tarballs.set(tarballPath, file);
      const { scripts: _, ...rest } = manifest;
      const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
      return { ...rest, dist: { tarball: `${url}${tarballPath}`, integrity } };
    });
    response.setHeader('content-type', 'application/json').end(
      JSON.stringify({
        name,
        'dist-tags': { latest: described.at(-1)?.version },
        versions: Object.fromEntries(described.map((version) => [version.version, version])),
      }),
    );
  };

  const server = createServer((request, response) => {
    answer(new URL(request.url ?? '/', 'http://localhost').pathname, response).catch((error: Error) =>
      response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    missing,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};

const packWorkspace = async (folder: string, { workDir, env }: LocalRegistryOptions): Promise<Packed> => {
  const { stdout } = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', workDir, resolve(folder)],
    { cwd: workDir, env },
  );
  // A list in most versions of npm, an object by name in newer ones.
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
  if (packed === undefined) throw new Error(`npm pack told nothing of ${folder}`);
  return { manifest: manifestIn(folder), file: join(workDir, packed.filename) };
};

/** As a tarball of a registry, without what is nested in it: that is a package of its own. */
const packInstalled = async (folder: string, workDir: string): Promise<Packed> => {
  const manifest = manifestIn(folder);
  const stem = `${manifest.name.replace('/', '-').replace('@', '')}-${manifest.version}`;
  const file = join(workDir, `${stem}.tgz`);
  const copy = join(workDir, stem);
  if (readdirSync(workDir).includes(`${stem}.tgz`)) return { manifest, file };
  mkdirSync(copy, { recursive: true });
  cpSync(folder, join(copy, 'package'), {
    recursive: true,
    filter: (source) => !relative(folder, source).split('/').includes('node_modules'),
  });
  await run('tar', ['-czf', file, '-C', copy, 'package']);
  rmSync(copy, { recursive: true });
  return { manifest, file };
};

/** Every installed copy of every package, by name. */
const foreignFolders = (root: string): Map<string, string[]> => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { link?: boolean }>;
  };
  const folders = new Map<string, string[]>();
  for (const [path, { link }] of Object.entries(packages)) {
    const name = path.split('node_modules/').at(-1) ?? '';
    if (link === true || !path.includes('node_modules/')) continue;
    folders.set(name, [...(folders.get(name) ?? []), join(root, path)]);
  }
  return folders;
};

const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
