import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findMachineTexts, machineTexts } from './addresses.mjs';

describe('texts of this machine', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'headgate-addresses-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const hostsOf = (options: { registry: string; env?: NodeJS.ProcessEnv; sources?: string }) => {
    const aptDir = join(root, 'apt');
    mkdirSync(aptDir, { recursive: true });
    writeFileSync(join(aptDir, 'sources.list'), options.sources ?? '');
    return machineTexts({ root, registry: options.registry, env: options.env ?? {}, aptDir })
      .filter(({ what }) => what.startsWith('a host'))
      .map(({ text }) => text);
  };

  test('are the hosts of the registry, of apt and of proxies', () => {
    expect(
      hostsOf({
        registry: 'https://user:secret@packages.internal.example:8443/npm/',
        env: { https_proxy: 'http://proxy.internal.example:3128' },
        sources: 'deb [signed-by=/k.gpg] http://mirror.internal.example/debian bookworm main\n',
      }),
    ).toEqual(['packages.internal.example', 'proxy.internal.example', 'mirror.internal.example']);
  });

  test('leave out this machine itself', () => {
    expect(
      hostsOf({
        registry: 'http://localhost:4873/',
        env: { http_proxy: 'http://127.0.0.1:3128' },
        sources: 'deb file:///srv/packages bookworm main\n',
      }),
    ).toEqual([]);
  });

  test('are found with file and line, and not where they are absent', () => {
    writeFileSync(join(root, 'a.md'), 'one\ntwo packages.internal.example three\n');
    writeFileSync(join(root, 'b.md'), `see ${root}/libs\n`);
    writeFileSync(join(root, 'd.md'), `${root}\n`);
    writeFileSync(join(root, 'c.md'), `nothing here but libs${root}/src and ${root}-other\n`);
    const texts = [
      ...machineTexts({ root, registry: 'https://packages.internal.example/', env: {}, aptDir: root }),
    ];
    expect(findMachineTexts(root, ['a.md', 'b.md', 'c.md', 'd.md'], texts)).toEqual([
      'a.md:2: holds a host this machine gets packages from',
      "b.md:1: holds this clone's path",
      "d.md:1: holds this clone's path",
    ]);
  });
});
