import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type FlagDocument, STREAMS } from '@headgate/contracts';
import { EventUnreadable } from '@headgate/event-store';
import { OutcomeUnknown, type PublishOptions, type Streams } from '@headgate/streams';
import { until } from '../../../test/support/until.js';
import { type Installation, openInstallation, PLACE, sorted } from './installation.fixture.js';

/** Streams whose every publish to FLAGS passes by `around`. */
const via =
  (
    around: (
      subject: string,
      publish: () => ReturnType<Streams['publish']>,
    ) => ReturnType<Streams['publish']>,
  ) =>
  (inner: Streams): Streams =>
    new Proxy(inner, {
      get(target, name) {
        if (name === 'publish')
          return (subject: string, data: Uint8Array, options: PublishOptions) =>
            around(subject, () => target.publish(subject, data, options));
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });

const whats = (notes: readonly { kind: string }[]) =>
  notes.flatMap((note) => ('what' in note ? [note.what as string] : []));

describe.each(['in memory', 'on nats-server'] as const)('a publisher %s', (where) => {
  let at: Installation;
  beforeEach(async () => {
    at = await openInstallation(where);
  });
  afterEach(() => at.close());

  it('publishes trust before the first snapshot, then a beat, then commit by commit', async () => {
    const { notes, publisher } = at.publisher();
    await until('a beat', () => whats(notes).includes('beat'));
    expect(whats(notes)).toEqual(['trust', 'snapshot', 'beat']);
    const flagId = await at.createFlag('checkout');
    await at.untilPublished();
    await at.changeFlag(flagId, 'on');
    await at.untilPublished();
    expect(whats(notes).slice(3)).toEqual(['commit', 'commit']);
    const reader = await at.coldRead();
    expect(reader.state?.documents.get(flagId)?.defaultVariant).toBe('on');
    expect(reader.freshness()).toMatchObject({ status: 'fresh' });
    expect(reader.tip?.h).toMatchObject({ n: 3, position: 4, documentCount: 1 });
    await until('readiness', () => publisher.trouble === null);
  });

  it('ends an archived flag, and lets kill and lift through as documents', async () => {
    at.publisher();
    const [one, two] = [await at.createFlag('one'), await at.createFlag('two')];
    await at.handle(at.commands.killFlag('shop', one));
    await at.handle({ type: 'archive-flag', project: 'shop', flagId: two, why: 'done with it' });
    await at.untilPublished();
    const { state } = await at.coldRead();
    expect([...(state?.documents.keys() ?? [])]).toEqual([one]);
    expect(state?.documents.get(one)).toMatchObject({ state: 'DISABLED', killed: { why: 'a spec says so' } });
    await at.handle(at.commands.liftKill('shop', one));
    await at.untilPublished();
    expect((await at.coldRead()).state?.documents.get(one)?.killed).toBeUndefined();
  });

  it('publishes at start what it missed, and nothing when it missed nothing', async () => {
    const first = at.publisher();
    const flagId = await at.createFlag('checkout');
    await at.untilPublished();
    await first.publisher.close();
    const before = (await at.coldRead()).tip;
    const idle = at.publisher();
    await until('readiness', () => idle.publisher.trouble === null);
    expect(whats(idle.notes)).not.toContain('commit');
    expect((await at.coldRead()).tip).toEqual(before);
    await idle.publisher.close();
    await at.changeFlag(flagId, 'on');
    await at.createFlag('search');
    const late = at.publisher();
    await at.untilPublished();
    expect(whats(late.notes).filter((what) => what === 'commit')).toHaveLength(1);
    expect((await at.coldRead()).tip?.h.prevHead).not.toBe('0'.repeat(64));
  });

  it('lets changes of one moment share a commit, and a kill wait for nothing', async () => {
    const { notes } = at.publisher();
    const flagIds = await Promise.all(['a', 'b', 'c'].map((key) => at.createFlag(key)));
    await at.untilPublished();
    const commits = () => whats(notes).filter((what) => what === 'commit').length;
    const before = commits();
    for (let i = 0; i < 20; i++)
      await Promise.all(flagIds.map((flagId) => at.changeFlag(flagId, i % 2 ? 'on' : 'off')));
    await at.untilPublished();
    expect(commits() - before).toBeLessThan(60);
    const [victim = ''] = flagIds;
    await Promise.all([
      at.handle(at.commands.killFlag('shop', victim)),
      at.changeFlag(flagIds[1] ?? '', 'on'),
    ]);
    await at.untilPublished();
    expect((await at.coldRead()).state?.documents.get(victim)?.state).toBe('DISABLED');
  });

  it('keeps its keys 0600 in a folder 0700 and never in the log or FLAGS', async () => {
    at.publisher();
    await at.createFlag('checkout');
    await at.untilPublished();
    expect(statSync(at.keysFolder).mode & 0o777).toBe(0o700);
    const files = readdirSync(at.keysFolder).filter((name) => name.includes('.'));
    expect(files.sort()).toEqual(['flags.shop.stable.pem', 'root.pem', 'root.pin', 'targets.pem']);
    for (const name of files) expect(statSync(join(at.keysFolder, name)).mode & 0o777).toBe(0o600);
    for (const stream of [STREAMS.log, STREAMS.flags])
      for await (const { data } of at.streams.readRange(stream, { from: 1 }))
        expect(Buffer.from(data).toString('latin1')).not.toMatch(/PRIVATE KEY/);
  });

  it('refuses to write over a channel that is signed under another root', async () => {
    const { publisher } = at.publisher();
    await at.createFlag('checkout');
    await at.untilPublished();
    await publisher.close();
    const pin = at.keeper().pin;
    rmSync(at.keysFolder, { recursive: true });
    const other = at.publisher();
    await until('trouble', () => other.publisher.trouble?.includes('the pin says'));
    expect(whats(other.notes)).toEqual([]);
    expect(at.keeper().pin).not.toBe(pin);
  });

  it('stops loudly, beats included, at an event that it cannot read', async () => {
    const broken = {
      follow: () => {
        throw new EventUnreadable(7, 'shop', 3, 'made unreadable by the spec');
      },
    };
    const { publisher, notes } = at.publisher({ store: broken as never });
    await until('trouble', () => publisher.trouble?.startsWith('log: event at stream sequence 7'));
    expect(whats(notes)).toEqual([]);
  });

  it('moves to a new epoch with the log, never leaving a reader without a state', async () => {
    const old = at.publisher();
    const flagId = await at.createFlag('checkout');
    await at.handle(at.commands.killFlag('shop', flagId));
    await at.untilPublished();
    await old.publisher.close();
    const before = (await at.coldRead()).tip?.h;
    const keeper = at.keeper();
    const restored = keeper.delegate({ ...PLACE, epoch: 2, commitFloor: before?.n ?? 0 });
    expect(restored.epoch).toBe(2);
    const seen: (string | undefined)[] = [];
    const watched = via(async (_subject, publish) => {
      const ack = await publish();
      const { tip } = await at.coldRead();
      seen.push(tip === null ? undefined : `${tip.h.epoch}.${tip.h.n}`);
      return ack;
    });
    const next = at.publisher({ via: watched });
    await until('a beat', () => whats(next.notes).includes('beat'));
    expect(whats(next.notes)).toEqual(['snapshot', 'trust', 'beat']);
    const [n = 0] = [before?.n];
    expect(seen).toEqual([`1.${n}`, `2.${n + 1}`, `2.${n + 1}`]);
  });

  describe('when FLAGS is lost', () => {
    let [changed, killed]: string[] = [];
    let remembered: Awaited<ReturnType<Installation['coldRead']>>;
    let first: ReturnType<Installation['publisher']>;
    beforeEach(async () => {
      first = at.publisher({ beatEveryMs: 200 });
      // Each in a commit of its own, so that a publisher that begins again is behind.
      changed = await at.createFlag('changed');
      await at.untilPublished();
      killed = await at.createFlag('killed');
      await at.untilPublished();
      await at.handle(at.commands.killFlag('shop', killed));
      await at.untilPublished();
      remembered = await at.coldRead();
    });
    const killOf = (reader: typeof remembered, flagId = '') => reader.state?.documents.get(flagId)?.killed;

    it.each([
      ['before a start', 1],
      ['under a running publisher', 0],
      ['and two publishers start at once', 2],
    ])('%s: a reader that remembers gets every later change, kill and lift', async (when, starts) => {
      if (when !== 'under a running publisher') await first.publisher.close();
      await at.loseFlags();
      for (let i = 0; i < starts; i++) at.publisher({ beatEveryMs: 200 });
      const { reader } = at.follow(remembered);
      expect(killOf(reader, killed)).toBeDefined();
      await at.changeFlag(changed ?? '', 'on');
      await until('the change', () => reader.state?.documents.get(changed ?? '')?.defaultVariant === 'on');
      expect(killOf(reader, killed)).toMatchObject({ why: 'a spec says so' });
      await at.handle(at.commands.killFlag('shop', changed ?? ''));
      await until('the kill', () => killOf(reader, changed) !== undefined);
      await at.handle(at.commands.liftKill('shop', killed ?? ''));
      await until('the lift', () => killOf(reader, killed) === undefined);
      await at.untilPublished();
      expect(reader.equivocations).toEqual([]);
      expect(reader.tip?.h.epoch).toBe(remembered.tip?.h.epoch);
      await until('a beat of the new numbers', () => reader.beat?.n === reader.tip?.h.n);
    });

    it('again and again, whatever publish it dies after', async () => {
      await first.publisher.close();
      for (const publishes of [0, 1, 2]) {
        await at.loseFlags();
        let left = publishes;
        const mortal = at.publisher({
          via: via(async (_subject, publish) => {
            if (left-- <= 0) throw new Error('dead');
            return publish();
          }),
        });
        await until('its death', () => left < 0);
        await mortal.publisher.close();
      }
      at.publisher();
      const { reader } = at.follow(remembered);
      await at.changeFlag(changed ?? '', 'on');
      await until('the change', () => reader.state?.documents.get(changed ?? '')?.defaultVariant === 'on');
    });

    it('and the mark beside the keys with it, a reader that remembers refuses all that comes (control)', async () => {
      await first.publisher.close();
      await at.loseFlags();
      rmSync(join(at.keysFolder, 'published'), { recursive: true });
      at.publisher();
      const { reader, refused } = at.follow(remembered);
      await at.untilPublished();
      await at.changeFlag(changed ?? '', 'on');
      await at.untilPublished();
      await until('the refusal', () => refused.some(({ code }) => code === 'rolled-back'));
      expect(reader.state?.documents.get(changed ?? '')?.defaultVariant).toBe('off');
    });
  });

  it('marks a channel as published after its trust and before any reader can have a state of it', async () => {
    const marks: boolean[] = [];
    const mark = join(at.keysFolder, 'published', `${PLACE.project}.${PLACE.channel}`);
    const watched = via(async (_subject, publish) => {
      marks.push(existsSync(mark));
      return publish();
    });
    const { notes } = at.publisher({ via: watched });
    await until('a beat', () => whats(notes).includes('beat'));
    expect(whats(notes)).toEqual(['trust', 'snapshot', 'beat']);
    expect(marks).toEqual([false, true, true]);
    expect((await at.coldRead()).tip?.h.n).toBe(1);
  });

  it('two at once do no harm: each change is published once, in one chain', async () => {
    const [one, two] = [at.publisher({ beatEveryMs: 200 }), at.publisher({ beatEveryMs: 200 })];
    const flagIds = await Promise.all(['a', 'b', 'c', 'd'].map((key) => at.createFlag(key)));
    const positions: number[] = [];
    for (let i = 0; i < 40; i++)
      positions.push((await at.changeFlag(flagIds[i % 4] ?? '', i % 2 ? 'on' : 'off')).position);
    await at.untilPublished();
    const { tip, equivocations } = await at.coldRead();
    expect(equivocations).toEqual([]);
    expect(tip?.h.position).toBe(positions.at(-1));
    const commits = [...one.notes, ...two.notes].flatMap((note) =>
      note.kind === 'published' && note.what === 'commit' ? [note.n] : [],
    );
    expect(new Set(commits).size).toBe(commits.length);
    expect(Math.max(...commits)).toBe(tip?.h.n);
    // Whoever is left alone goes on by itself.
    await one.publisher.close();
    await at.changeFlag(flagIds[0] ?? '', 'on', 'alone');
    await at.untilPublished();
  });

  it('rejoins when its answer was lost, and publishes nothing twice', async () => {
    let countdown = 3;
    const losing = via(async (_subject, publish) => {
      const ack = await publish();
      if (countdown-- === 0) throw new OutcomeUnknown('the answer was lost');
      return ack;
    });
    const { notes } = at.publisher({ via: losing });
    await until('a beat', () => whats(notes).includes('beat'));
    const flagId = await at.createFlag('checkout');
    await at.untilPublished();
    countdown = 0;
    await at.changeFlag(flagId, 'on');
    await at.untilPublished();
    countdown = 0;
    await at.changeFlag(flagId, 'off');
    await at.untilPublished();
    expect(notes.some((note) => note.kind === 'fault')).toBe(true);
    expect((await at.coldRead()).tip?.h.n).toBe(4);
  });
});

describe('invariant 4, on nats-server: every prefix of FLAGS is a verifiable state', () => {
  it('a cold reader has the fold after every single publish, and over publishers killed at random points', async () => {
    const seed = Number(process.env.HEADGATE_SEED ?? 20_261_121);
    const random = seeded(seed);
    const at = await openInstallation('on nats-server');
    try {
      const wrong: unknown[] = [];
      let checked = 0;
      let last = { epoch: 0, n: 0, position: 0 };
      let lastRead: FlagDocument[] = [];
      const check = async (subject: string) => {
        const reader = await at.coldRead();
        const h = reader.tip?.h;
        checked += 1;
        // Before the very first snapshot is whole there is nothing to verify.
        if (h === undefined && last.n === 0) return;
        expect({ subject, hasState: h !== undefined }).toEqual({ subject, hasState: true });
        if (h === undefined) return;
        expect([h.epoch, h.n >= last.n]).toEqual([1, true]);
        const read = sorted(reader.state?.documents ?? new Map());
        // The first parts of a commit that was too large are on the way to the next position, and claim the one before.
        const isPart = h.n > last.n && h.position === last.position;
        const expected = h.n === last.n ? lastRead : sorted(await at.folded(h.position));
        if (!isPart) expect(read).toEqual(expected);
        else
          for (const doc of read) expect([...lastRead, ...(await at.folded()).values()]).toContainEqual(doc);
        last = h;
        lastRead = read;
      };
      /** Lives for so many publishes; then the last one was stored or not, and it never says another word. */
      const mortal = (publishes: number, isLastStored: boolean) => {
        let left = publishes;
        const publisher = at.publisher({
          beatEveryMs: 50,
          via: via(async (subject, publish) => {
            if (left <= 0) throw new Error('dead');
            left -= 1;
            if (left === 0 && !isLastStored) throw new Error('killed before the publish');
            const ack = await publish();
            await check(subject).catch((error) => wrong.push(error));
            if (left === 0) throw new Error('killed after the publish');
            return ack;
          }),
        });
        return { ...publisher, isDead: () => left === 0 };
      };
      const flagIds: string[] = [];
      let deaths = 0;
      let running = mortal(2, true);
      for (let i = 0; i < 110 && wrong.length === 0; i++) {
        if (i % 16 === 0) flagIds.push(await at.createFlag(`path-${i}`));
        const flagId = flagIds[Math.floor(random() * flagIds.length)] ?? '';
        // Big documents that do not compress: the snapshots take several chunks.
        const padding = randomBytes(30_000).toString('base64');
        const { position } = await at.changeFlag(flagId, random() < 0.5 ? 'on' : 'off', padding);
        if (random() < 0.4) continue;
        await until('the change, or the end', () => running.isDead() || last.position >= position);
        if (!running.isDead()) continue;
        deaths += 1;
        await running.publisher.close();
        running = mortal(1 + Math.floor(random() * 12), random() < 0.5);
      }
      await running.publisher.close();
      mortal(Number.POSITIVE_INFINITY, true);
      await at.untilPublished();
      expect({ seed, wrong }).toEqual({ seed, wrong: [] });
      expect([checked > 60, deaths > 5]).toEqual([true, true]);
    } finally {
      await at.close();
    }
  }, 120_000);
});

/** mulberry32: small, and the same everywhere. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
