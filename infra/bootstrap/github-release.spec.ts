import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { downloadNatsRelease, fileFromTar, NATS_RELEASE, releasePlatform } from './github-release.mjs';

describe('a release of nats-server', () => {
  const archive = gzipSync(
    Buffer.concat([
      tarEntry('nats-server-v2.14.5-linux-amd64/LICENSE', 'licence'),
      tarEntry('nats-server-v2.14.5-linux-amd64/nats-server', 'the program'),
      Buffer.alloc(1024),
    ]),
  );
  let server: Server;
  let base: string;
  let asked: (string | undefined)[];

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push(request.url);
      if (request.url?.startsWith('/gone')) response.writeHead(404).end();
      else response.end(archive);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => new Promise((closed) => server.close(closed)));

  const release = (sha256: string) => ({ ...NATS_RELEASE, base, sha256: new Map([['linux-amd64', sha256]]) });
  const digest = createHash('sha256').update(archive).digest('hex');

  test('is unpacked when its bytes are the pinned ones', async () => {
    expect(String(await downloadNatsRelease(release(digest), 'linux-amd64'))).toBe('the program');
    expect(asked).toEqual(['/v2.14.5/nats-server-v2.14.5-linux-amd64.tar.gz']);
  });

  test('is refused when its bytes are others', async () => {
    await expect(downloadNatsRelease(release('0'.repeat(64)), 'linux-amd64')).rejects.toThrow(
      `has SHA-256 ${digest}, expected 000`,
    );
  });

  test('is not asked for on a platform without a pinned digest', async () => {
    await expect(downloadNatsRelease(release(digest), 'freebsd-amd64')).rejects.toThrow('no pinned release');
    expect(asked).toEqual([]);
  });

  test('is missed with the answer of the server', async () => {
    const gone = { ...release(digest), base: `${base}/gone` };
    await expect(downloadNatsRelease(gone, 'linux-amd64')).rejects.toThrow('answered 404');
  });

  test('is pinned for the platforms of Linux by their names at the origin', () => {
    expect(releasePlatform('linux', 'x64')).toBe('linux-amd64');
    expect(releasePlatform('linux', 'arm64')).toBe('linux-arm64');
    expect([...NATS_RELEASE.sha256.keys()]).toEqual(['linux-amd64', 'linux-arm64']);
  });

  test('without the program is an error', () => {
    expect(() => fileFromTar(tarEntry('other', 'x'), 'nats-server')).toThrow('holds no nats-server');
  });
});

function tarEntry(name: string, content: string): Buffer {
  const block = Buffer.alloc(512 + Math.ceil(content.length / 512) * 512);
  block.write(name, 0);
  block.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  block.write(content, 512);
  return block;
}
