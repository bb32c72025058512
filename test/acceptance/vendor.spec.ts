import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChannelState } from '@headgate/contracts';
import { type StandaloneProcess, startStandaloneProcess } from '../support/standalone-process.js';
import { until } from '../support/until.js';

const STORY_MS = 180_000;
const FLAG = '/v1/projects/web/channels/stable/flags/fast';

let folder: string;
let upstream: StandaloneProcess;
let vendor: StandaloneProcess;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hg-vendor-'));
});
afterAll(async () => {
  await vendor?.stop();
  await upstream?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const channelAt = async ({ url }: StandaloneProcess, name = 'web/stable'): Promise<ChannelState | null> => {
  const answer = await fetch(`${url}/flags/${name}/`);
  return answer.ok ? ((await answer.json()) as ChannelState) : null;
};

/** What a reader gets at the place, once it is at the upstream's head. */
const sameAsUpstream = () =>
  until('the vendor is at the head of the upstream', async () => {
    const [here, there] = [await channelAt(vendor), await channelAt(upstream)];
    return here && there && here.head.sig.sig === there.head.sig.sig ? here : null;
  });

const killedAt = async (place: StandaloneProcess): Promise<boolean> =>
  (await channelAt(place))?.documents.find(({ key }) => key === 'fast')?.killed !== undefined;

describe('a vendor', () => {
  it(
    'joins with the bundle alone and serves what the upstream signed',
    async () => {
      upstream = await startStandaloneProcess(join(folder, 'upstream'));
      await upstream.call('POST', '/v1/projects', { slug: 'web', why: 'first' });
      await upstream.call('POST', '/v1/projects/web/channels', { slug: 'stable', why: 'first' });
      const definition = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
      await upstream.call('POST', '/v1/projects/web/channels/stable/flags', {
        key: 'fast',
        definition,
        why: 'quicker',
      });
      const bundle = await upstream.call<{ pin: string }>('POST', '/v1/admin/vendors', { name: 'acme' });
      expect(bundle.pin).toBe(upstream.rootPin);
      // Asked again, it is the same vendor with the same password.
      expect(await upstream.call('POST', '/v1/admin/vendors', { name: 'acme' })).toEqual(bundle);
      vendor = await startStandaloneProcess(join(folder, 'vendor'), bundle);
      const state = await sameAsUpstream();
      expect(state.documents.map(({ key }) => key)).toEqual(['fast']);
    },
    STORY_MS,
  );

  it(
    "has its own projects, which the upstream never sees, and no way to write the upstream's",
    async () => {
      await vendor.call('POST', '/v1/projects', { slug: 'own', why: 'patches' });
      await vendor.call('POST', '/v1/projects/own/channels', { slug: 'stable', why: 'patches' });
      await until('the own channel is served', () => channelAt(vendor, 'own/stable'));
      expect(await channelAt(upstream, 'own/stable')).toBeNull();
      await expect(vendor.call('POST', `${FLAG}/kill`, { why: 'not mine' })).rejects.toThrow(
        'project-unknown',
      );
      const verified = await upstream.call<{ ok: boolean; events: number }>(
        'POST',
        '/v1/admin/log/verify',
        {},
      );
      // The first token, project, channel, flag: nothing of the vendor.
      expect(verified).toMatchObject({ ok: true, events: 4 });
    },
    STORY_MS,
  );

  it(
    'hears of a kill, keeps it through the loss of the upstream and its own restart, and of its lifting',
    async () => {
      await upstream.call('POST', `${FLAG}/kill`, { why: 'data loss' });
      await until('the kill is at the vendor', () => killedAt(vendor));
      await upstream.stop();
      expect(await killedAt(vendor)).toBe(true);
      await vendor.stop();
      // No bundle this time: an upstream once joined is remembered.
      vendor = await startStandaloneProcess(join(folder, 'vendor'));
      await until('the kill is served again', () => killedAt(vendor));
      const { adminToken } = upstream;
      upstream = await startStandaloneProcess(join(folder, 'upstream'));
      const lifted = await fetch(`${upstream.url}${FLAG}/lift-kill`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
        body: '{"why": "mended"}',
      });
      expect(lifted.status).toBe(200);
      await until('the lifting is at the vendor', async () => !(await killedAt(vendor)));
      await sameAsUpstream();
    },
    STORY_MS,
  );

  it(
    'refuses a bundle that is none, and its own name for an upstream',
    async () => {
      for (const bundle of [{ schema: 'headgate.vendor-bundle.v1', name: 'x' }, 'text', null]) {
        await expect(startStandaloneProcess(join(folder, 'none'), bundle)).rejects.toThrow('did not start');
      }
      const name = 'headgate';
      const bundle = {
        schema: 'headgate.vendor-bundle.v1',
        name,
        leafUrl: 'nats-leaf://127.0.0.1:9',
        vendor: name,
        password: 'x'.repeat(32),
        pin: upstream.rootPin,
      };
      await expect(startStandaloneProcess(join(folder, 'none'), bundle)).rejects.toThrow(
        /name of an upstream/,
      );
      writeFileSync(join(folder, 'none', 'upstreams.json'), 'damaged');
      await expect(startStandaloneProcess(join(folder, 'none'))).rejects.toThrow(/upstreams.json is damaged/);
    },
    STORY_MS,
  );
});
