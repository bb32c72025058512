import {
  beatSubject,
  type Change,
  type Commit,
  commitSubject,
  type FlagDocument,
  STREAMS,
  snapshotSubject,
  trustSubject,
} from '@headgate/contracts';
import { declareInstallation, type MemoryStreams, openMemoryStreams } from '@headgate/streams';
import {
  ChannelAuthor,
  createTrust,
  generateSigningKey,
  headDigest,
  pinOf,
  resignTargets,
  type SigningKey,
  signBeat,
} from '@headgate/trust';
import { type ChannelNews, type ChannelStream, openChannelStream, type RefusedMessage } from './index.js';

const NOW = 1_790_000_000_000;
const HOUR = 3_600_000;
const PLACE = { project: 'shop', channel: 'stable' } as const;

describe('a channel stream', () => {
  const root = generateSigningKey().key;
  const targets = generateSigningKey().key;
  const key = generateSigningKey().key;
  let streams: MemoryStreams;
  let author: ChannelAuthor;
  let open: ChannelStream[];
  let position: number;

  const delegation = (epoch: number, commitFloor: number) => ({ ...PLACE, ...pub(key), epoch, commitFloor });
  const trust = createTrust({
    rootKeys: [root],
    targetsKeys: [targets],
    channels: [delegation(1, 0)],
    now: NOW,
  });

  beforeEach(async () => {
    streams = openMemoryStreams({ now: () => NOW });
    await declareInstallation(streams, { now: 1 });
    author = ChannelAuthor.begin({ ...PLACE, epoch: 1, commitFloor: 0 }, key);
    open = [];
    position = 0;
  });
  afterEach(async () => {
    for (const channel of open) await channel.close();
    await streams.close();
  });

  const publish = (subject: string, value: unknown) =>
    streams.publish(subject, value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value)), {
      expectStream: STREAMS.flags,
    });
  const publishTrust = (bundle: unknown = trust) =>
    publish(trustSubject(PLACE.project, PLACE.channel), bundle);
  const commit = (...changes: Change[]): Commit => author.commit(changes, ++position)[0] as Commit;
  const publishCommit = (made: Commit) =>
    publish(commitSubject(PLACE.project, PLACE.channel, made.head.h.n), made);
  const publishSnapshot = async (slot: 0 | 1) => {
    for (const [i, chunk] of author.snapshot().entries())
      await publish(snapshotSubject(PLACE.project, PLACE.channel, slot, i), chunk);
  };
  const publishBeat = (issuedAt = NOW) => {
    const h = author.head?.h;
    if (h === undefined) throw new Error('no head');
    const named = { ...PLACE, epoch: h.epoch, n: h.n, headDigest: headDigest(h) };
    const signed = signBeat({ ...named, issuedAt, expiresAt: issuedAt + HOUR }, key);
    return publish(beatSubject(PLACE.project, PLACE.channel), signed);
  };

  function follow(now: () => number = () => NOW) {
    const news: ChannelNews[] = [];
    const refused: RefusedMessage[] = [];
    const listeners = new Set<() => void>();
    const channel = openChannelStream({
      ...PLACE,
      streams,
      stream: STREAMS.flags,
      pin: pinOf(trust),
      now,
      onChange: (item) => {
        news.push(item);
        for (const listener of [...listeners]) listener();
      },
      onRefused: (item) => {
        refused.push(item);
        for (const listener of [...listeners]) listener();
      },
    });
    open.push(channel);
    const until = (isSo: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!isSo()) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
      });
    const atCommit = (n: number) => until(() => channel.reader.tip?.h.n === n);
    return { channel, news, refused, until, atCommit, types: () => news.map((item) => item.type) };
  }

  it('is ready, and has nothing, when nothing is published', async () => {
    const { channel, news } = follow();
    await channel.ready;
    expect(channel.reader.state).toBeNull();
    expect(news).toEqual([]);
  });

  it('starts from the newest snapshot and the commits after it, then follows one by one', async () => {
    await publishTrust();
    await publishCommit(commit(put(1)));
    await publishSnapshot(0);
    await publishCommit(commit(put(2)));
    await publishSnapshot(1);
    await publishCommit(commit(put(3)));
    await publishBeat();
    const { channel, news, types, atCommit } = follow();
    await channel.ready;
    expect(types()).toEqual(['trust', 'state']);
    expect(news[1]).toMatchObject({ changed: [put(1), put(2), put(3)] });
    expect(channel.reader.freshness().status).toBe('fresh');
    await publishCommit(commit({ flagId: flagId(1), doc: null }));
    await atCommit(4);
    expect(types()).toEqual(['trust', 'state', 'commit']);
    expect(news[2]).toMatchObject({ changed: [{ flagId: flagId(1), doc: null }] });
  });

  it('starts from the first commit when there is no snapshot, and live when there is nothing', async () => {
    const live = follow();
    await live.channel.ready;
    await publishTrust();
    await publishCommit(commit());
    await publishCommit(commit(put(1)));
    await live.atCommit(2);
    expect(live.types()).toEqual(['trust', 'commit', 'commit']);
    const cold = follow();
    await cold.channel.ready;
    expect(cold.channel.reader.state?.head).toEqual(author.head);
  });

  it('passes over a half-written snapshot', async () => {
    await publishTrust();
    await publishCommit(commit(put(1)));
    await publishSnapshot(0);
    commit(put(2));
    const [chunk = new Uint8Array()] = author.snapshot();
    await publish(snapshotSubject(PLACE.project, PLACE.channel, 1, 0), chunk.subarray(0, 20));
    const { channel } = follow();
    await channel.ready;
    expect(channel.reader.tip?.h.n).toBe(1);
  });

  it('keeps its state over a gap and looks again when a snapshot comes', async () => {
    await publishTrust();
    await publishCommit(commit(put(1)));
    const { channel, atCommit, types, refused } = follow();
    await channel.ready;
    commit(put(2)); // lost
    await publishCommit(commit(put(3)));
    await publishSnapshot(0);
    await atCommit(3);
    expect(channel.reader.state?.documents.size).toBe(3);
    expect(types()).toEqual(['trust', 'state', 'state']);
    expect(refused[0]).toMatchObject({ code: 'gap' });
  });

  it('refuses what a mirror made up, and goes on', async () => {
    await publishTrust();
    await publishCommit(commit(put(1)));
    const { channel, atCommit, refused } = follow();
    await channel.ready;
    const honest = commit(put(2));
    await publishCommit({ ...honest, changes: [put(2, { defaultVariant: 'on' })] });
    await publishCommit(honest);
    await atCommit(2);
    expect(refused.map(({ code }) => code)).toEqual(['digest-mismatch']);
    expect(channel.reader.state?.documents.get(flagId(2))?.defaultVariant).toBe('off');
  });

  it('moves to a new epoch by its trust, first commit and snapshot', async () => {
    await publishTrust();
    await publishCommit(commit(put(1)));
    const { channel, until } = follow();
    await channel.ready;
    const next = resignTargets(trust, { channels: [delegation(2, 1)], targetsKeys: [targets], now: NOW });
    author = ChannelAuthor.begin({ ...PLACE, epoch: 2, commitFloor: 1 }, key);
    await publishTrust(next);
    await publishCommit(commit(put(1), put(2)));
    await publishSnapshot(0);
    await until(() => channel.reader.tip?.h.epoch === 2);
    expect(channel.reader.state?.documents.size).toBe(2);
  });

  it('goes on after the stream was deleted and made again', async () => {
    await publishTrust();
    await publishCommit(commit(put(1)));
    const { channel, atCommit } = follow();
    await channel.ready;
    streams.remove(STREAMS.flags);
    await declareInstallation(streams, { now: 2 });
    await publishTrust();
    await publishCommit(commit(put(2)));
    await publishSnapshot(0);
    await atCommit(2);
  });
});

function pub({ keyId, publicKey }: SigningKey) {
  return { keyId, publicKey };
}
const flagId = (i: number): string => `01890000-0000-7000-8000-${i.toString(16).padStart(12, '0')}`;
const put = (i: number, over: Partial<FlagDocument> = {}): Change => ({
  flagId: flagId(i),
  doc: {
    schema: 'headgate.flag.v1',
    ...PLACE,
    flagId: flagId(i),
    key: `path-${i}`,
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    overridable: 'none',
    why: 'first light',
    epoch: 1,
    position: i,
    ...over,
  },
});
