import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

/**
 * nats-server as its makers build it (static, no libc needed). The digests are those that the nats-docker image of the
 * same version pins; a platform without one is not offered.
 */
export const NATS_RELEASE = {
  version: '2.14.5',
  base: 'https://github.com/nats-io/nats-server/releases/download',
  sha256: new Map([
    ['linux-amd64', '5e3b603d47c447bda1f77f9ac16dbf91c90aac4ff3681f8fbbc7201e4ed99355'],
    ['linux-arm64', '673a98d3faa79dde3f9ebf16d6dfac36a5f694e7ad2015e4954dd7939c85cd4c'],
  ]),
};

/**
 * Downloads a release of nats-server and returns the program's bytes. Throws when the platform has no pinned digest,
 * when the address does not answer within five seconds, or when the bytes are not the pinned ones.
 *
 * @param {typeof NATS_RELEASE} [release]
 * @param {string} [platform]
 */
export async function downloadNatsRelease(release = NATS_RELEASE, platform = releasePlatform()) {
  const expected = release.sha256.get(platform);
  if (!expected) throw new Error(`no pinned release for ${platform}`);
  const name = `nats-server-v${release.version}-${platform}`;
  const archive = await download(`${release.base}/v${release.version}/${name}.tar.gz`);
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== expected) throw new Error(`${name}.tar.gz has SHA-256 ${actual}, expected ${expected}`);
  return fileFromTar(gunzipSync(archive), `${name}/nats-server`);
}

export function releasePlatform(platform = process.platform, arch = process.arch) {
  return `${platform}-${arch === 'x64' ? 'amd64' : arch}`;
}

/**
 * The body may take two minutes, the first answer only five seconds: behind a firewall the next origin should get its
 * turn soon.
 *
 * @param {string} url
 */
async function download(url) {
  const control = new AbortController();
  const noAnswer = setTimeout(
    () => control.abort(new Error(`no answer from ${new URL(url).host} in 5 s`)),
    5_000,
  );
  const tooLong = setTimeout(() => control.abort(new Error(`${url} took longer than 120 s`)), 120_000);
  try {
    const answer = await fetch(url, { signal: control.signal });
    clearTimeout(noAnswer);
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  } finally {
    clearTimeout(noAnswer);
    clearTimeout(tooLong);
  }
}

/**
 * @param {Buffer} tar
 * @param {string} path
 */
export function fileFromTar(tar, path) {
  const text = (/** @type {number} */ start, /** @type {number} */ length) =>
    tar.toString('utf8', start, start + length).replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= tar.length; ) {
    const size = Number.parseInt(text(at + 124, 12).trim() || '0', 8);
    if (text(at, 100) === path) return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error(`the archive holds no ${path}`);
}
