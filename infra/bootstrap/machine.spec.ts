import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianCodename, glibcVersion, npmEnvironment } from './machine.mjs';

describe("npm's environment", () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'headgate-home-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  // a path below a file can be made by nobody, root included
  const unusable = () => {
    writeFileSync(join(home, 'file'), '');
    return join(home, 'file', 'below');
  };

  test('is left alone where its cache can be made', () => {
    const env = { HOME: home, PATH: '/bin' };
    expect(npmEnvironment(env, '/project/cache')).toBe(env);
    const chosen = { HOME: '/nonexistent', npm_config_cache: join(home, 'deep', 'cache') };
    expect(npmEnvironment(chosen, '/project/cache')).toBe(chosen);
  });

  test.each([
    ['there is no home', () => ({})],
    ['the home cannot be made', () => ({ HOME: unusable() })],
    ['npm run handed down a cache below such a home', () => ({ HOME: home, npm_config_cache: unusable() })],
  ])('has a cache in the project where %s', (_, env) => {
    expect(npmEnvironment(env(), '/project/cache').npm_config_cache).toBe('/project/cache');
  });
});

describe('a machine', () => {
  test('tells its release from os-release, quoted or not', () => {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-os-'));
    const file = join(folder, 'os-release');
    writeFileSync(
      file,
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n',
    );
    expect(debianCodename(file)).toBe('bookworm');
    writeFileSync(file, 'VERSION_CODENAME="trixie"\n');
    expect(debianCodename(file)).toBe('trixie');
    expect(debianCodename(join(folder, 'missing'))).toBe('');
    rmSync(folder, { recursive: true });
  });

  test('tells the version of its C library, if that is glibc', () => {
    expect(glibcVersion() ?? '0.0').toMatch(/^\d+\.\d+/);
  });
});
