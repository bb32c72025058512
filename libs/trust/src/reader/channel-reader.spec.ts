import type { Commit } from '@headgate/contracts';
import { changesDigest, headDigest } from '../channel/digests.js';
import { signBeat, signHead } from '../channel/sign-channel.js';
import { createTrust, resignTargets, rotateRoot } from '../metadata/create-trust.js';
import { type ChannelReader, openChannelReader, type Seen } from './channel-reader.js';
import {
  fixedKey,
  flag,
  flagId,
  HOUR,
  kill,
  NOW,
  PLACE,
  put,
  type SignedChannel,
  signedChannel,
} from './signed-channel.fixture.js';

function readerOf(
  channel: SignedChannel,
  now: () => number = () => NOW,
  seen: Seen | null = null,
): ChannelReader {
  return openChannelReader({ ...PLACE, pin: channel.pin, now, seen });
}

const refused = (code: string) => expect.objectContaining({ ok: false, code });
const killedFlags = (reader: ChannelReader) =>
  [...(reader.state?.documents.values() ?? [])].filter((doc) => doc.killed).map((doc) => doc.flagId);

describe('a channel reader', () => {
  let channel: SignedChannel;
  let reader: ChannelReader;
  beforeEach(() => {
    channel = signedChannel();
    reader = readerOf(channel);
  });

  describe('given a whole state', () => {
    it('serves it and follows commit by commit', () => {
      channel.commit(put(1), put(2));
      expect(reader.acceptState(channel.state(channel.beat()))).toEqual({
        ok: true,
        changed: [put(1), put(2)],
      });
      expect(reader.freshness()).toEqual({ status: 'fresh', ageMs: 0, skewMs: 0 });
      expect(reader.acceptCommit(channel.commit({ flagId: flagId(1), doc: null }, kill(2)))).toEqual({
        ok: true,
        changed: [kill(2), { flagId: flagId(1), doc: null }],
      });
      expect([...(reader.state?.documents.keys() ?? [])]).toEqual([flagId(2)]);
      expect(reader.seen).toMatchObject({ epoch: 1, n: 2 });
    });

    it('takes the same from bytes and text, and unknown fields with them', () => {
      channel.commit(put(1, { newerField: [1, 2] } as object));
      expect(reader.acceptTrust(JSON.stringify(channel.trust)).ok).toBe(true);
      expect(reader.acceptState(Buffer.from(JSON.stringify(channel.state()))).ok).toBe(true);
      expect(reader.state?.documents.get(flagId(1))).toHaveProperty('newerField', [1, 2]);
    });

    it('needs no snapshot for a channel whose first commit it has', () => {
      reader.acceptTrust(channel.trust);
      const first = channel.commit(put(1));
      expect(reader.acceptCommit(first).ok).toBe(true);
      expect(reader.acceptCommit(first)).toEqual({ ok: true, changed: [] });
    });
  });

  describe('refuses', () => {
    let commit: Commit;
    beforeEach(() => {
      channel.commit(put(1), put(2));
      reader.acceptState(channel.state(channel.beat()));
      commit = channel.commit(put(3));
    });
    afterEach(() => {
      expect(reader.state?.head.h.n).toBe(1);
      expect([...(reader.state?.documents.keys() ?? [])]).toEqual([flagId(1), flagId(2)]);
      expect(reader.acceptCommit(commit)).toEqual({ ok: true, changed: [put(3)] });
    });

    it('a head signed by any other key', () => {
      const forged = { ...commit, head: signHead(commit.head.h, fixedKey('mallory')) };
      expect(reader.acceptCommit(forged)).toEqual(refused('bad-signature'));
      const lying = {
        ...forged,
        head: { ...forged.head, sig: { ...forged.head.sig, keyId: channel.key.keyId } },
      };
      expect(reader.acceptCommit(lying)).toEqual(refused('bad-signature'));
    });

    it('changes that are not those of the head', () => {
      expect(reader.acceptCommit({ ...commit, changes: [put(4)] })).toEqual(refused('digest-mismatch'));
      expect(reader.acceptCommit({ ...commit, changes: [] })).toEqual(refused('digest-mismatch'));
    });

    it('a set digest or a count that its signed changes do not give, and leaves nothing of them behind', () => {
      const h = { ...commit.head.h, setDigest: 'a'.repeat(64) };
      expect(reader.acceptCommit({ ...commit, head: signHead(h, channel.key) })).toEqual(
        refused('digest-mismatch'),
      );
      const miscounted = signHead({ ...commit.head.h, documentCount: 4 }, channel.key);
      expect(reader.acceptCommit({ ...commit, head: miscounted })).toEqual(refused('digest-mismatch'));
    });

    it('a state with one document altered, left out or put in', () => {
      const state = channel.state();
      const altered = [flag(1, { defaultVariant: 'on' }), ...state.documents.slice(1)];
      for (const documents of [altered, state.documents.slice(1), [...state.documents, flag(9)]])
        expect(reader.acceptState({ ...state, documents })).toEqual(refused('digest-mismatch'));
      expect(reader.acceptState({ ...state, documents: [...state.documents, flag(1)] })).toEqual(
        refused('malformed'),
      );
    });

    it('a document of another channel, even under a good signature', () => {
      const stray = signedChannel();
      stray.commit(put(1), put(2));
      const mixed = stray.commit(put(3, { channel: 'candidate' }));
      expect(mixed.head.h.prevHead).toBe(commit.head.h.prevHead);
      expect(reader.acceptCommit(mixed)).toEqual(refused('wrong-channel'));
    });

    it('a head of another channel or epoch, or under the floor', () => {
      const sign = (over: object) => ({
        ...commit,
        head: signHead({ ...commit.head.h, ...over }, channel.key),
      });
      expect(reader.acceptCommit(sign({ channel: 'candidate' }))).toEqual(refused('wrong-channel'));
      expect(reader.acceptCommit(sign({ epoch: 2 }))).toEqual(refused('wrong-epoch'));
      expect(reader.acceptCommit(sign({ epoch: 0 }))).toEqual(refused('wrong-epoch'));
    });

    it('a beat signed by any other key, altered, or over before it began', () => {
      const honest = channel.beat(NOW + 1);
      const forged = signBeat({ ...honest, issuedAt: NOW + HOUR }, fixedKey('mallory'));
      expect(reader.acceptBeat(forged)).toEqual(refused('bad-signature'));
      const lying = { ...forged, sig: { ...forged.sig, keyId: channel.key.keyId } };
      expect(reader.acceptBeat(lying)).toEqual(refused('bad-signature'));
      expect(reader.acceptBeat({ ...honest, expiresAt: honest.expiresAt + 1 })).toEqual(
        refused('bad-signature'),
      );
      expect(reader.acceptBeat(channel.beat(NOW + 1, 0))).toEqual(refused('malformed'));
      expect(reader.freshness().ageMs).toBe(0);
    });

    it('a beat or a head that is signed as the other', () => {
      const beat = channel.beat(NOW + 1);
      expect(reader.acceptBeat({ ...beat, sig: commit.head.sig })).toEqual(refused('bad-signature'));
      const head = { ...commit.head, sig: beat.sig };
      expect(reader.acceptCommit({ ...commit, head })).toEqual(refused('bad-signature'));
    });

    it('a signed head whose own changes are not what it says they are', () => {
      const h = { ...commit.head.h, changesDigest: changesDigest([]) };
      const head = signHead(h, channel.key);
      expect(reader.acceptCommit({ ...commit, head })).toEqual(refused('digest-mismatch'));
    });

    it('a signed head that covers less of the log than the one before', () => {
      const head = signHead({ ...commit.head.h, position: 0 }, channel.key);
      expect(reader.acceptCommit({ ...commit, head })).toEqual(refused('rolled-back'));
    });

    it('a commit that leaves one out, as a gap', () => {
      expect(reader.acceptCommit(signedChannelAfter(channel, put(4)))).toEqual(refused('gap'));
    });

    it('what is too large, before it reads it', () => {
      const padding = ' '.repeat(262_144);
      expect(reader.acceptCommit(JSON.stringify(commit) + padding)).toEqual(refused('too-large'));
      expect(reader.acceptBeat(JSON.stringify(channel.beat()) + padding)).toEqual(refused('too-large'));
    });

    it('what is no commit, beat, state or trust at all, without throwing', () => {
      const deep = `${'['.repeat(120_000)}${']'.repeat(120_000)}`;
      const nonsense = [
        null,
        7,
        'x',
        '{',
        deep,
        [],
        {},
        new Uint8Array([255]),
        { schema: 'headgate.commit.v2' },
      ];
      for (const offered of nonsense) {
        expect(reader.acceptCommit(offered).ok).toBe(false);
        expect(reader.acceptBeat(offered).ok).toBe(false);
        expect(reader.acceptState(offered).ok).toBe(false);
        expect(reader.acceptTrust(offered).ok).toBe(false);
      }
      const holed = { ...channel.trust, roots: [null] };
      expect(reader.acceptTrust(holed)).toEqual(refused('malformed'));
    });
  });

  describe('never goes back', () => {
    it('refuses an older state and an older commit', () => {
      const first = channel.commit(put(1));
      const old = channel.state();
      channel.commit(put(1, { defaultVariant: 'on' }));
      reader.acceptState(channel.state(channel.beat()));
      expect(reader.acceptState(old)).toEqual(refused('rolled-back'));
      expect(reader.acceptCommit(first)).toEqual(refused('rolled-back'));
    });

    it('nor across its own restart', () => {
      channel.commit(put(1));
      const old = channel.state(channel.beat());
      channel.commit(put(1, { defaultVariant: 'on' }));
      reader.acceptState(channel.state(channel.beat()));
      const restarted = readerOf(channel, () => NOW, JSON.parse(JSON.stringify(reader.seen)));
      expect(restarted.seen).toEqual(reader.seen);
      expect(restarted.acceptState(old)).toEqual(refused('rolled-back'));
      expect(restarted.state).toBeNull();
      expect(restarted.acceptState(reader.localState()).ok).toBe(true);
    });

    it('refuses an older beat', () => {
      channel.commit(put(1));
      reader.acceptState(channel.state(channel.beat(NOW)));
      expect(reader.acceptBeat(channel.beat(NOW - 1))).toEqual(refused('rolled-back'));
      expect(reader.acceptBeat(channel.beat(NOW + 1)).ok).toBe(true);
    });

    it('a reader that does not remember takes the old state: the attack that `seen` stops', () => {
      channel.commit(put(1));
      const old = channel.state(channel.beat());
      channel.commit(kill(1));
      reader.acceptState(channel.state(channel.beat()));
      const forgetful = readerOf(channel);
      expect(forgetful.acceptState(old).ok).toBe(true);
      expect(killedFlags(forgetful)).toEqual([]);
    });
  });

  describe('keeps evidence of equivocation', () => {
    const twin = () => signedChannel();

    it('for another commit or state under the same number', () => {
      const other = twin();
      reader.acceptTrust(channel.trust);
      reader.acceptCommit(channel.commit(put(1)));
      const forked = other.commit(put(2));
      expect(reader.acceptCommit(forked)).toEqual(refused('equivocation'));
      expect(reader.acceptState(other.state())).toEqual(refused('equivocation'));
      expect(reader.equivocations[0]).toEqual({ held: channel.author.head, offered: forked.head });
    });

    it('for the commit after a head that it never saw', () => {
      const other = twin();
      reader.acceptTrust(channel.trust);
      reader.acceptCommit(channel.commit(put(1)));
      other.commit(put(2));
      expect(reader.acceptCommit(other.commit(put(3)))).toEqual(refused('equivocation'));
    });

    it('for a beat of another head, and across a restart', () => {
      const other = twin();
      channel.commit(put(1));
      other.commit(put(2));
      reader.acceptState(channel.state());
      expect(reader.acceptBeat(other.beat())).toEqual(refused('equivocation'));
      const restarted = readerOf(channel, () => NOW, reader.seen);
      expect(restarted.acceptState(other.state())).toEqual(refused('equivocation'));
    });
  });

  describe('under an expired beat', () => {
    let now: number;
    beforeEach(() => {
      now = NOW;
      reader = readerOf(channel, () => now);
      channel.commit(put(1), put(2), put(3));
      reader.acceptState(channel.state(channel.beat(NOW, HOUR)));
      now = NOW + HOUR + 1;
    });

    it('keeps its state, says stale, and takes only the kills of newer commits', () => {
      expect(reader.freshness()).toEqual({ status: 'stale', ageMs: HOUR + 1, skewMs: 0 });
      const accepted = reader.acceptCommit(channel.commit(kill(1), put(2, { defaultVariant: 'on' }), put(4)));
      expect(accepted).toEqual({ ok: true, changed: [kill(1)] });
      expect(reader.state?.head.h.n).toBe(1);
      expect(reader.state?.documents.get(flagId(2))?.defaultVariant).toBe('off');
      expect(killedFlags(reader)).toEqual([flagId(1)]);
    });

    it('lets a kill only be lifted once a fresh beat lets it advance', () => {
      reader.acceptCommit(channel.commit(kill(1)));
      expect(reader.acceptCommit(channel.commit(put(1)))).toEqual({ ok: true, changed: [] });
      expect(killedFlags(reader)).toEqual([flagId(1)]);
      expect(reader.acceptBeat(channel.beat(now, HOUR))).toEqual({ ok: true, changed: [put(1)] });
      expect(reader.state?.head.h.n).toBe(3);
      expect(reader.freshness().status).toBe('fresh');
    });

    it('advances to everything that it verified meanwhile when a fresh beat comes', () => {
      reader.acceptCommit(channel.commit(put(2, { defaultVariant: 'on' })));
      reader.acceptCommit(channel.commit({ flagId: flagId(3), doc: null }));
      const accepted = reader.acceptBeat(channel.beat(now, HOUR));
      expect(accepted).toEqual({
        ok: true,
        changed: [{ flagId: flagId(3), doc: null }, put(2, { defaultVariant: 'on' })],
      });
    });

    it('takes kills from a whole state too, and keeps them across its restart', () => {
      channel.commit(kill(1), put(5));
      expect(reader.acceptState(channel.state())).toEqual({ ok: true, changed: [kill(1)] });
      expect(reader.localState()?.head.h.n).toBe(1);
      expect(reader.signedState()?.head.h.n).toBe(2);
      const restarted = readerOf(channel, () => now, JSON.parse(JSON.stringify(reader.seen)));
      restarted.acceptState(JSON.parse(JSON.stringify(reader.localState())));
      expect(killedFlags(restarted)).toEqual([flagId(1)]);
      expect(restarted.freshness().status).toBe('stale');
    });

    it('is stale for a commit and its beat that both come late', () => {
      const late = channel.commit(put(2, { defaultVariant: 'on' }));
      const lateBeat = channel.beat(NOW + 1, HOUR - 1);
      reader.acceptCommit(late);
      expect(reader.acceptBeat(lateBeat).ok).toBe(true);
      expect(reader.state?.head.h.n).toBe(1);
    });
  });

  describe('a withheld commit', () => {
    it('does not look fresh because of beats that speak of a later head', () => {
      let now = NOW;
      reader = readerOf(channel, () => now);
      channel.commit(put(1));
      reader.acceptState(channel.state(channel.beat(NOW, HOUR)));
      const withheld = channel.commit(kill(1));
      now = NOW + HOUR + 1;
      expect(reader.acceptBeat(channel.beat(now, HOUR))).toEqual(refused('gap'));
      expect(reader.freshness().status).toBe('stale');
      expect(reader.acceptCommit(withheld)).toEqual({ ok: true, changed: [kill(1)] });
      expect(reader.freshness().status).toBe('fresh');
    });
  });

  describe('its clock', () => {
    it('never runs below the newest verified issuedAt, and shows that as skew', () => {
      let now = NOW - 2 * HOUR;
      reader = readerOf(channel, () => now);
      channel.commit(put(1));
      reader.acceptState(channel.state(channel.beat(NOW, HOUR)));
      expect(reader.freshness()).toEqual({ status: 'fresh', ageMs: 0, skewMs: 2 * HOUR });
      now += HOUR + 1;
      expect(reader.freshness()).toEqual({ status: 'stale', ageMs: HOUR + 1, skewMs: 2 * HOUR });
      now -= 10 * HOUR;
      expect(reader.freshness().status).toBe('stale');
    });

    it('remembers across a restart', () => {
      channel.commit(put(1));
      const old = channel.state(channel.beat(NOW, HOUR));
      reader.acceptState(old);
      channel.commit(put(2));
      reader.acceptState(channel.state(channel.beat(NOW + 2 * HOUR, HOUR)));
      const setBack = readerOf(channel, () => NOW, { epoch: 1, n: 1, issuedAt: NOW + 2 * HOUR });
      setBack.acceptState(old);
      expect(setBack.freshness().status).toBe('stale');
    });
  });

  describe('trust', () => {
    const delegation = (c: SignedChannel, epoch: number, commitFloor: number, key = c.key) => ({
      ...PLACE,
      keyId: key.keyId,
      publicKey: key.publicKey,
      epoch,
      commitFloor,
    });

    it('starts from the pin and from nothing else', () => {
      const impostor = createTrust({
        rootKeys: [fixedKey('mallory')],
        targetsKeys: [fixedKey('mallory')],
        channels: [delegation(channel, 1, 0, fixedKey('mallory'))],
        now: NOW,
      });
      expect(reader.acceptTrust(impostor)).toEqual(refused('untrusted'));
      expect(reader.acceptCommit(channel.commit(put(1)))).toEqual(refused('no-trust'));
    });

    it('refuses targets that root does not name the key of, and older or second targets', () => {
      const options = { channels: [delegation(channel, 1, 0)], now: NOW };
      const next = resignTargets(channel.trust, { ...options, targetsKeys: [channel.targets] });
      const second = resignTargets(channel.trust, {
        ...options,
        now: NOW + HOUR,
        targetsKeys: [channel.targets],
      });
      const forged = resignTargets(channel.trust, { ...options, targetsKeys: [fixedKey('mallory')] });
      expect(reader.acceptTrust(forged)).toEqual(refused('bad-signature'));
      expect(reader.acceptTrust(next).ok).toBe(true);
      expect(reader.acceptTrust(channel.trust)).toEqual(refused('rolled-back'));
      expect(reader.acceptTrust(second)).toEqual(refused('equivocation'));
      const { rootVersion, targetsVersion } = { rootVersion: 1, targetsVersion: 2 };
      const restarted = readerOf(channel, () => NOW, { epoch: 1, n: 1, rootVersion, targetsVersion });
      expect(restarted.acceptTrust(channel.trust)).toEqual(refused('rolled-back'));
    });

    it('follows a new root signed by old and new keys, and no other', () => {
      const fresh = fixedKey('root-2');
      const roles = {
        rootKeys: [fresh],
        rootThreshold: 1,
        targetsKeys: [channel.targets],
        targetsThreshold: 1,
      };
      const rotate = (signers: (typeof fresh)[]) =>
        rotateRoot(channel.trust, { ...roles, signers, now: NOW });
      expect(reader.acceptTrust(rotate([fresh]))).toEqual(refused('bad-signature'));
      expect(reader.acceptTrust(rotate([channel.root]))).toEqual(refused('bad-signature'));
      const rotated = rotate([channel.root, fresh]);
      expect(reader.acceptTrust(rotated).ok).toBe(true);
      expect(reader.acceptTrust({ ...rotated, roots: rotated.roots.slice(1) })).toEqual(refused('untrusted'));
      const third = rotateRoot(rotated, { ...roles, signers: [channel.root], now: NOW });
      expect(reader.acceptTrust(third)).toEqual(refused('bad-signature'));
    });

    it('is stale when targets are past their expiry, and fresh again when they are renewed', () => {
      const now = NOW + 91 * 24 * HOUR;
      reader = readerOf(channel, () => now);
      channel.commit(put(1));
      reader.acceptState(channel.state(channel.beat(now, HOUR)));
      expect(reader.freshness().status).toBe('stale');
      const channels = [delegation(channel, 1, 0)];
      reader.acceptTrust(resignTargets(channel.trust, { channels, targetsKeys: [channel.targets], now }));
      expect(reader.freshness().status).toBe('fresh');
    });

    it('refuses heads at or below the floor that targets give', () => {
      channel.commit(put(1));
      const old = channel.state();
      const raised = { channels: [delegation(channel, 1, 1)], targetsKeys: [channel.targets], now: NOW };
      expect(reader.acceptTrust(resignTargets(channel.trust, raised)).ok).toBe(true);
      expect(reader.acceptState(old)).toEqual(refused('rolled-back'));
      channel.commit(put(2));
      expect(reader.acceptState(channel.state()).ok).toBe(true);
    });

    it('lets a time that a distrusted key has set be forgotten in the next epoch', () => {
      channel.commit(put(1));
      reader.acceptState(channel.state(channel.beat(NOW + 10_000 * HOUR)));
      expect(reader.freshness().skewMs).toBe(10_000 * HOUR);
      const next = signedChannel({ epoch: 2, commitFloor: 1, key: 'channel-2' });
      const channels = [delegation(next, 2, 1)];
      const trust = resignTargets(channel.trust, { channels, targetsKeys: [channel.targets], now: NOW });
      reader.acceptTrust(trust);
      next.commit(put(1));
      reader.acceptState({ ...next.state(), trust });
      expect(reader.acceptBeat(next.beat(NOW)).ok).toBe(true);
      expect(reader.freshness()).toEqual({ status: 'fresh', ageMs: 0, skewMs: 0 });
    });

    it('refuses a root that skips a version, and one key under two ids', () => {
      const fresh = fixedKey('root-2');
      const roles = {
        rootKeys: [fresh],
        rootThreshold: 1,
        targetsKeys: [channel.targets],
        targetsThreshold: 1,
      };
      const second = rotateRoot(channel.trust, { ...roles, signers: [channel.root, fresh], now: NOW });
      const third = rotateRoot(second, {
        ...roles,
        rootKeys: [channel.root, fresh],
        signers: [channel.root, fresh],
        now: NOW,
      });
      const skipping = { ...third, roots: [third.roots[0], third.roots[2]] };
      expect(reader.acceptTrust(skipping)).toEqual(refused('untrusted'));
      const twice = { ...fresh, keyId: 'f'.repeat(64) };
      const doubled = {
        ...roles,
        rootKeys: [fresh, twice],
        rootThreshold: 2,
        signers: [channel.root, fresh, twice],
      };
      expect(reader.acceptTrust(rotateRoot(channel.trust, { ...doubled, now: NOW }))).toEqual(
        refused('untrusted'),
      );
    });

    it('keeps every kill across an epoch until a document of the new epoch lifts it by name', () => {
      channel.commit(kill(1), put(2));
      reader.acceptState(channel.state(channel.beat()));
      const restored = signedChannel({ epoch: 2, commitFloor: 1, key: 'channel-2' });
      const channels = [delegation(restored, 2, 1)];
      const trust = resignTargets(channel.trust, { channels, targetsKeys: [channel.targets], now: NOW });
      const first = restored.commit(put(1), put(2));
      expect(first.head.h.n).toBe(2);
      expect(reader.acceptCommit(first)).toEqual(refused('wrong-epoch'));
      reader.acceptTrust(trust);
      expect(reader.acceptCommit(first)).toEqual(refused('gap'));
      expect(reader.acceptCommit(channel.commit(put(3)))).toEqual(refused('wrong-epoch'));
      expect(reader.acceptState({ ...restored.state(), trust }).ok).toBe(true);
      expect(reader.acceptBeat(restored.beat()).ok).toBe(true);
      expect(reader.state?.head.h.epoch).toBe(2);
      expect(killedFlags(reader)).toEqual([flagId(1)]);
      expect(reader.acceptCommit(restored.commit(put(2, { defaultVariant: 'on' }))).ok).toBe(true);
      expect(killedFlags(reader)).toEqual([flagId(1)]);
      const lifted = put(1, { epoch: 2, why: 'mended' });
      expect(reader.acceptCommit(restored.commit(lifted))).toEqual({ ok: true, changed: [lifted] });
      expect(killedFlags(reader)).toEqual([]);
    });
  });
});

/** A commit with one that it builds on left out, and the channel where it was. */
function signedChannelAfter(channel: SignedChannel, change: ReturnType<typeof put>): Commit {
  const h = channel.author.head?.h;
  if (h === undefined) throw new Error('no head');
  return {
    schema: 'headgate.commit.v1',
    head: signHead({ ...h, n: h.n + 1, prevHead: headDigest(h) }, channel.key),
    changes: [change],
  };
}
