import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAnalysisArchive } from './analysis-archive.js';

const DIGEST = 'ab'.repeat(32);
let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'hg-analyses-')), 'analyses');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const open = (now: () => number) => openAnalysisArchive({ folder, maxAgeMs: 1_000, now });

describe('the archive of analyses', () => {
  it('gives back what was put, also to the next process, and nothing for a digest it has not', async () => {
    const archive = await open(Date.now);
    await archive.put({ digest: DIGEST, text: '{"a":1}' });
    await archive.put({ digest: DIGEST, text: '{"a":1}' });
    expect(await (await open(Date.now)).get(DIGEST)).toBe('{"a":1}');
    expect(await archive.get('cd'.repeat(32))).toBeNull();
    expect(await archive.get('../../etc/passwd')).toBeNull();
    expect(readdirSync(folder)).toEqual([`${DIGEST}.json.gz`]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('lets go of what is older than it keeps, and of nothing else', async () => {
    const archive = await open(Date.now);
    await archive.put({ digest: DIGEST, text: '{}' });
    expect(await archive.prune()).toBe(0);
    expect(await (await open(() => Date.now() + 5_000)).prune()).toBe(1);
    expect(await archive.get(DIGEST)).toBeNull();
  });
});
