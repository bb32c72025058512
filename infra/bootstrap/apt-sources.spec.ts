import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianSources, parseDeb822, parseOneLine, readAptSources } from './apt-sources.mjs';

/** As Debian's container images write it, comments inside the stanzas included. */
const DEBIAN_SOURCES = `Types: deb
# http://snapshot.example/archive/debian/20250520T000000Z
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
# http://snapshot.example/archive/debian-security/20250520T000000Z
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

const THIRD_PARTIES = `Types: deb
URIs: https://deb.vendor.example/node_20.x
Suites: nodistro
Components: main
Signed-By: /usr/share/keyrings/vendor.gpg

Types: deb
URIs: https://download.engine.example/linux/debian
Suites: bookworm
Components: stable
`;

describe('deb822 sources', () => {
  test('are read past comments', () => {
    expect(parseDeb822(DEBIAN_SOURCES)).toEqual([
      {
        uri: 'http://mirror.example/debian',
        suites: ['bookworm', 'bookworm-updates'],
        components: ['main'],
        signedBy: '/usr/share/keyrings/debian-archive-keyring.gpg',
        isTrusted: false,
      },
      expect.objectContaining({
        uri: 'http://mirror.example/debian-security',
        suites: ['bookworm-security'],
      }),
    ]);
  });

  test.each(['no', 'No', 'false', '0'])('that are not enabled (%s) are left out', (no) => {
    expect(parseDeb822(`Enabled: ${no}\n${DEBIAN_SOURCES}`).map(({ uri }) => uri)).toEqual([
      'http://mirror.example/debian-security',
    ]);
  });

  test('of source packages are left out', () => {
    expect(parseDeb822(DEBIAN_SOURCES.replaceAll('Types: deb', 'Types: deb-src'))).toEqual([]);
    expect(parseDeb822(DEBIAN_SOURCES.replace('Types: deb', 'Types: deb deb-src'))).toHaveLength(2);
  });

  test('may name several addresses and continue over lines', () => {
    const sources = parseDeb822(
      'Types: deb\nURIs: http://a.example\n http://b.example\nSuites: sid\nComponents: main\n',
    );
    expect(sources.map(({ uri }) => uri)).toEqual(['http://a.example', 'http://b.example']);
  });

  test('may carry their key', () => {
    const [source] = parseDeb822(
      'Types: deb\nURIs: http://a.example\nSuites: sid\nComponents: main\nTrusted: yes\nSigned-By:\n' +
        ' -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBGPL\n -----END PGP PUBLIC KEY BLOCK-----\n',
    );
    expect(source?.signedBy).toBe(
      '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBGPL\n-----END PGP PUBLIC KEY BLOCK-----',
    );
    expect(source?.isTrusted).toBe(true);
  });
});

describe('one-line sources', () => {
  test('are read with and without options, past comments', () => {
    const text = `# deb http://off.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg trusted=yes] http://mirror.example/debian bookworm main contrib # why
deb-src http://mirror.example/debian bookworm main
deb\thttp://second.example/debian/ trixie main
`;
    expect(parseOneLine(text)).toEqual([
      {
        uri: 'http://mirror.example/debian',
        suites: ['bookworm'],
        components: ['main', 'contrib'],
        signedBy: '/k.gpg',
        isTrusted: true,
      },
      {
        uri: 'http://second.example/debian/',
        suites: ['trixie'],
        components: ['main'],
        signedBy: undefined,
        isTrusted: false,
      },
    ]);
  });
});

describe("Debian's own sources", () => {
  const uris = (text: string, codename?: string) =>
    debianSources(parseDeb822(text), codename).map(({ uri }) => uri);

  test('are told from the security archive and from third parties', () => {
    expect(uris(`${THIRD_PARTIES}\n${DEBIAN_SOURCES}`, 'bookworm')).toEqual(['http://mirror.example/debian']);
  });

  test('are none on a machine that has only third parties', () => {
    expect(uris(THIRD_PARTIES, 'bookworm')).toEqual([]);
  });

  test("begin with the one of this machine's release, each address once", () => {
    const sid = DEBIAN_SOURCES.replaceAll('mirror', 'sid-mirror').replace('bookworm bookworm-updates', 'sid');
    expect(uris(`${sid}\n${DEBIAN_SOURCES}\n${DEBIAN_SOURCES}`, 'bookworm')).toEqual([
      'http://mirror.example/debian',
      'http://sid-mirror.example/debian',
    ]);
  });
});

describe('the sources of a machine', () => {
  let etc: string;
  beforeEach(() => {
    etc = mkdtempSync(join(tmpdir(), 'headgate-apt-'));
    mkdirSync(join(etc, 'sources.list.d'));
  });
  afterEach(() => rmSync(etc, { recursive: true, force: true }));

  test('come from both forms, and from no file of another ending', () => {
    writeFileSync(join(etc, 'sources.list'), 'deb http://list.example/debian sid main\n');
    writeFileSync(join(etc, 'sources.list.d', 'debian.sources'), DEBIAN_SOURCES);
    writeFileSync(join(etc, 'sources.list.d', 'more.list'), 'deb http://more.example/debian sid main\n');
    writeFileSync(join(etc, 'sources.list.d', 'old.sources.disabled'), THIRD_PARTIES);
    expect(readAptSources(etc).map(({ uri }) => uri)).toEqual([
      'http://list.example/debian',
      'http://mirror.example/debian',
      'http://mirror.example/debian-security',
      'http://more.example/debian',
    ]);
  });

  test('are none where apt is not', () => {
    expect(readAptSources(join(etc, 'nowhere'))).toEqual([]);
  });
});
