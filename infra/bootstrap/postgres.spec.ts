import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hydrateLinks } from './postgres.mjs';

describe('links to shared libraries', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'headgate-postgres-'));
    mkdirSync(join(home, 'native', 'lib'), { recursive: true });
    writeFileSync(join(home, 'native', 'lib', 'libpq.so.5.18'), 'library');
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  test('are made where npm ran no script, once', () => {
    const links = ['native/lib/libpq.so', 'native/lib/libpq.so.5'].map((target) => ({
      source: 'native/lib/libpq.so.5.18',
      target,
    }));
    writeFileSync(join(home, 'native', 'pg-symlinks.json'), JSON.stringify(links));
    expect(hydrateLinks(home)).toBe(2);
    expect(hydrateLinks(home)).toBe(0);
    expect(readlinkSync(join(home, 'native', 'lib', 'libpq.so'))).toBe('libpq.so.5.18');
    expect(readFileSync(join(home, 'native', 'lib', 'libpq.so.5'), 'utf8')).toBe('library');
  });

  test('are none in a package without a list', () => {
    expect(hydrateLinks(home)).toBe(0);
  });
});
