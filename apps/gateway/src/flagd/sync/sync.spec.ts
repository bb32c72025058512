import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STREAMS } from '@headgate/contracts';
import type { Streams } from '@headgate/streams';
import { grpcBody } from '../../../../../test/support/raw-grpc.js';
import { SignedChannel } from '../../../../../test/support/signed-channel.js';
import { until } from '../../../../../test/support/until.js';
import {
  EMPTY,
  FETCH_ALL,
  FlagdGateway,
  STATUS,
  stateIn,
  sync,
  syncBody,
  typesOf,
  UNAVAILABLE,
} from '../flagd-gateway.fixture.js';

let gateway: FlagdGateway;
beforeEach(async () => {
  gateway = await FlagdGateway.make();
});
afterEach(() => gateway.remove());

describe('flagd.sync', () => {
  it('sends the whole state at once, and again for each change', async () => {
    await gateway.start();
    const call = sync(gateway.open(), 'flagSetId=shop/stable');
    await until('the state', () => call.messages.length === 1);
    expect(stateIn(call.messages[0])).toMatchObject({
      metadata: { flagSetId: 'shop/stable' },
      flags: { 'flag-1': { defaultVariant: 'off' }, 'flag-2': { defaultVariant: 'on' } },
    });
    await gateway.publish(gateway.channel.document(1, { defaultVariant: 'on' }));
    await until('the change', () => stateIn(call.messages.at(-1)).flags['flag-1']?.defaultVariant === 'on');
    await gateway.publish({ flagId: gateway.channel.document(2).flagId, ended: true });
    await until('the end', () => stateIn(call.messages.at(-1)).flags['flag-2'] === undefined);
  });

  it('takes the selector in each of its forms, the header before the field, and no selector for the only channel', async () => {
    await gateway.start();
    const client = gateway.open();
    const statusOf = async (field: string, header?: string) => {
      const headers: Record<string, string> = header === undefined ? {} : { 'flagd-selector': header };
      const call = client.call(FETCH_ALL, syncBody(field), headers);
      const { status, message } = await call.ended;
      return [status, message, call.messages.length] as const;
    };
    for (const selector of ['flagSetId=shop/stable', 'source=shop/stable', 'shop/stable', '', ' '])
      expect(await statusOf(selector)).toEqual([STATUS.ok, '', 1]);
    expect(await statusOf('nonsense', 'flagSetId=shop/stable')).toEqual([STATUS.ok, '', 1]);
    expect((await statusOf('shop/stable', 'nonsense'))[0]).toBe(STATUS.invalid);
    for (const selector of ['nonsense', 'flagSetId=', 'a=b/c', 'shop/stable/x', 'Shop/ä'])
      expect(await statusOf(selector)).toMatchObject([
        STATUS.invalid,
        expect.stringContaining('flagSetId=<project>'),
        0,
      ]);
    expect((await statusOf('shop/none'))[0]).toBe(STATUS.notFound);
  });

  it('asks which channel when there are several, and names some', async () => {
    const other = new SignedChannel({ channel: 'candidate' });
    await other.publishAll(gateway.streams);
    const sources = [gateway.channel, other].map(({ pin }, i) => ({
      root: `r${i}`,
      stream: STREAMS.flags,
      pin,
    }));
    await gateway.start({ sources });
    await until('the other', async () => (await fetch(`${gateway.url}/flags/shop/candidate/`)).ok);
    const { status, message } = await sync(gateway.open()).ended;
    expect(status).toBe(STATUS.invalid);
    expect(message).toContain('flagSetId=shop/candidate or flagSetId=shop/stable');
  });

  it('answers UNAVAILABLE, which clients try again, while its channels are not all known', async () => {
    await gateway.start({ streams: new Promise(() => {}) }, false);
    const client = gateway.open();
    for (const selector of ['', 'shop/stable'])
      expect((await sync(client, selector).ended).status).toBe(UNAVAILABLE);
    expect((await sync(client, 'nonsense').ended).status).toBe(STATUS.invalid);
  });

  it('does not take clients back to the copy on disk: they wait for what is newer, unless that is away for long', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'hg-flagd-'));
    try {
      await gateway.start({ dataDir });
      await until('the copy', () => existsSync(join(dataDir, 'own', 'shop.stable.state.json')));
      await gateway.stop();
      await gateway.publish(
        gateway.channel.document(2, { state: 'DISABLED', killed: { at: 1, why: 'broken' } }),
      );
      let comeBack: (back: Streams) => void = () => {};
      const away = new Promise<Streams>((resolve) => {
        comeBack = resolve;
      });
      await gateway.start({ dataDir, streams: away });
      expect((await sync(gateway.open()).ended).status).toBe(UNAVAILABLE);
      expect((await gateway.open().call(FETCH_ALL, syncBody()).ended).status).toBe(UNAVAILABLE);
      comeBack(gateway.streams);
      const call = await until('a stream', async () => {
        const asked = sync(gateway.open());
        const isServed = until('a state', () => asked.messages.length > 0);
        return (await Promise.race([isServed, asked.ended.then(() => false)])) ? asked : null;
      });
      expect(stateIn(call.messages[0]).flags['flag-2']?.state).toBe('DISABLED');
      await gateway.stop();
      await gateway.start({ dataDir, streams: new Promise(() => {}), flagdCatchUpMs: 0 });
      const later = sync(gateway.open());
      await until('the copy', () => later.messages.length === 1);
    } finally {
      await gateway.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('refuses GetMetadata as not implemented, which Java and Python clients go on from', async () => {
    await gateway.start();
    const client = gateway.open();
    const path = '/flagd.sync.v1.FlagSyncService/GetMetadata';
    expect((await client.call(path, grpcBody(Buffer.alloc(0))).ended).status).toBe(STATUS.unimplemented);
    expect((await client.call('/x.Y/Z', grpcBody(Buffer.alloc(0))).ended).status).toBe(STATUS.unimplemented);
  });

  it('ends no stream with OK: not at its deadline, not when the gateway closes', async () => {
    await gateway.start();
    const client = gateway.open();
    const bounded = sync(client, '', { 'grpc-timeout': '50m' });
    expect((await bounded.ended).status).toBe(STATUS.deadline);
    const call = sync(client);
    const events = client.call('/flagd.evaluation.v2.Service/EventStream', grpcBody(Buffer.alloc(0)));
    await until('both', () => call.messages.length === 1 && events.messages.length === 1);
    await gateway.stop();
    expect((await call.ended).status).toBe(UNAVAILABLE);
    expect((await events.ended).status).toBe(UNAVAILABLE);
    expect(typesOf(events)).toEqual(['provider_ready', 'provider_shutdown']);
  });

  it('lets nobody wait for a client that does not read, and sends it the newest state when it does again', async () => {
    await gateway.start();
    const padding = 'x'.repeat(100_000);
    await gateway.publish(gateway.channel.document(3, { variants: { big: padding }, defaultVariant: 'big' }));
    const stalled = sync(gateway.open());
    stalled.stream.pause();
    const call = sync(gateway.open());
    await until('a state', () => call.messages.length > 0);
    for (let i = 0; i < 50; i += 1) {
      const before = call.messages.length;
      await gateway.publish(gateway.channel.document(4, { variants: { v: `${i}` }, defaultVariant: 'v' }));
      await until('the change', () => call.messages.length > before);
    }
    expect(stalled.messages).toHaveLength(0);
    stalled.stream.resume();
    const newest = () =>
      stateIn(stalled.messages.at(-1)).flags['flag-4']?.variants as { v?: string } | undefined;
    await until('the newest', () => stalled.messages.length > 0 && newest()?.v === '49');
    // The one that was on its way, and the one that follows it.
    expect(stalled.messages.length).toBeLessThanOrEqual(3);
  }, 30_000);

  it('lets go of a client that takes nothing for two minutes, and of no other', async () => {
    let skewMs = 0;
    await gateway.start({ now: () => Date.now() + skewMs, flagdKeepAliveMs: 20 });
    for (const index of [3, 4])
      await gateway.publish(
        gateway.channel.document(index, { variants: { big: 'x'.repeat(100_000) }, defaultVariant: 'big' }),
      );
    const call = sync(gateway.open());
    await until(
      'the large state',
      () => stateIn(call.messages.at(-1) ?? EMPTY).flags['flag-4'] !== undefined,
    );
    const stalled = sync(gateway.open());
    stalled.stream.pause();
    await until(
      'the answer begins',
      () => stalled.stream.sentHeaders !== undefined && stalled.stream.readableLength > 0,
    );
    skewMs = 119_000;
    await gateway.publish(gateway.channel.document(1, { defaultVariant: 'on' }));
    await until(
      'the change',
      () => stateIn(call.messages.at(-1) ?? EMPTY).flags['flag-1']?.defaultVariant === 'on',
    );
    expect(stalled.stream.closed).toBe(false);
    skewMs = 125_000;
    await until('the cut', () => gateway.lines.some((line) => line.includes('does not read')));
    stalled.stream.resume();
    expect((await stalled.ended).status).toBeNull();
    expect(call.stream.closed).toBe(false);
  });

  it('turns away streams over its limit so that they come again', async () => {
    await gateway.start({ maxClients: 1 });
    const client = gateway.open();
    const first = sync(client);
    await until('the state', () => first.messages.length === 1);
    first.stream.close();
    // The server counts connections too, so the next stream comes on the same one.
    const second = await until('a slot', async () => {
      const call = sync(client);
      const isServed = await Promise.race([
        call.ended.then(() => false),
        until('it', () => call.messages.length === 1),
      ]);
      return isServed ? call : null;
    });
    expect(second.messages).toHaveLength(1);
    expect((await sync(client).ended).status).toBe(UNAVAILABLE);
  });
});
