import type { Change, ChannelState, Commit, FlagDocument } from '@headgate/contracts';
import fc from 'fast-check';
import { canonicalJson } from '../canonical/canonical-json.js';
import { documentDigest, setDigest } from '../channel/digests.js';
import { readSnapshot } from '../channel/snapshot.js';
import { type ChannelReader, openChannelReader } from './channel-reader.js';
import {
  flag,
  flagId,
  kill,
  NOW,
  PLACE,
  put,
  type SignedChannel,
  signedChannel,
} from './signed-channel.fixture.js';

type Documents = ReadonlyMap<string, FlagDocument>;

const change = fc
  .record({ i: fc.nat(12), kind: fc.constantFrom('on', 'off', 'kill', 'end'), note: fc.string() })
  .map(({ i, kind, note }): Change => {
    if (kind === 'end') return { flagId: flagId(i), doc: null };
    return kind === 'kill' ? kill(i) : put(i, { defaultVariant: kind, owner: note });
  });
const history = fc.array(fc.uniqueArray(change, { minLength: 1, maxLength: 5, selector: (c) => c.flagId }), {
  minLength: 1,
  maxLength: 12,
});

interface Told {
  readonly channel: SignedChannel;
  /** Those that changed something; the first follows from nothing. */
  readonly commits: readonly Commit[];
  /** After each commit, by the plainest possible means. */
  readonly model: readonly Documents[];
  readonly states: readonly ChannelState[];
}

function tell(steps: readonly (readonly Change[])[]): Told {
  const channel = signedChannel();
  const commits: Commit[] = [];
  const model: Documents[] = [];
  const states: ChannelState[] = [];
  const now = new Map<string, FlagDocument>();
  for (const [i, step] of steps.entries()) {
    for (const { flagId: id, doc } of step) doc === null ? now.delete(id) : now.set(id, doc);
    for (const commit of channel.author.commit(step, i + 1)) {
      commits.push(commit);
      model.push(new Map(now));
      states.push(channel.state(channel.beat(NOW + i)));
    }
  }
  return { channel, commits, model, states };
}

const open = ({ channel }: Told): ChannelReader => {
  const reader = openChannelReader({ ...PLACE, pin: channel.pin, now: () => NOW });
  reader.acceptTrust(channel.trust);
  return reader;
};
const picture = (documents: Documents | undefined): string =>
  canonicalJson([...(documents ?? new Map()).values()].sort((a, b) => (a.flagId < b.flagId ? -1 : 1)));

describe('a channel reader, for every history', () => {
  it('reaches the same state at every prefix, from any snapshot and the commits after it', () => {
    fc.assert(
      fc.property(history, fc.nat(), fc.nat(), (steps, a, b) => {
        const told = tell(steps);
        const end = a % told.commits.length;
        const start = b % (end + 1);
        const fromNothing = open(told);
        for (const commit of told.commits.slice(0, end + 1))
          expect(fromNothing.acceptCommit(commit).ok).toBe(true);
        const fromSnapshot = open(told);
        expect(fromSnapshot.acceptState(told.states[start]).ok).toBe(true);
        for (const commit of told.commits.slice(start + 1, end + 1))
          expect(fromSnapshot.acceptCommit(commit).ok).toBe(true);
        for (const reader of [fromNothing, fromSnapshot]) {
          expect(picture(reader.state?.documents)).toBe(picture(told.model[end]));
          expect(reader.state?.head).toEqual(told.commits[end]?.head);
        }
        const digests = new Map([...(told.model[end] ?? [])].map(([id, doc]) => [id, documentDigest(doc)]));
        expect(setDigest(digests)).toBe(told.commits[end]?.head.h.setDigest);
      }),
    );
  });

  it('tells with `changed` exactly what turns one served state into the next', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const told = tell(steps);
        const reader = open(told);
        const served = new Map<string, FlagDocument>();
        for (const [i, commit] of told.commits.entries()) {
          const accepted = reader.acceptCommit(commit);
          if (!accepted.ok) throw new Error(accepted.message);
          for (const { flagId: id, doc } of accepted.changed)
            doc === null ? served.delete(id) : served.set(id, doc);
          expect(picture(served)).toBe(picture(told.model[i]));
        }
      }),
    );
  });

  it('never goes back and never shows what nobody signed, in whatever order and how often messages come', () => {
    fc.assert(
      fc.property(history, fc.array(fc.nat(), { maxLength: 40 }), (steps, order) => {
        const told = tell(steps);
        const reader = open(told);
        let last = 0;
        for (const pick of order) {
          const i = pick % told.commits.length;
          if (pick % 3 === 0) reader.acceptState(told.states[i]);
          else reader.acceptCommit(told.commits[i]);
          const n = reader.state?.head.h.n ?? 0;
          expect(n).toBeGreaterThanOrEqual(last);
          last = n;
          if (n > 0) expect(picture(reader.state?.documents)).toBe(picture(told.model[n - 1]));
        }
      }),
    );
  });

  it('takes nothing but the signed content from bytes that were tampered with', () => {
    const tampering = fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 32, max: 126 }) }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(history, fc.nat(), tampering, (steps, pick, edits) => {
        const told = tell([[put(0)], ...steps]);
        const i = pick % told.commits.length;
        const before = told.states[i - 1];
        const readers = [open(told), open(told)] as const;
        if (before !== undefined)
          for (const reader of readers) expect(reader.acceptState(before).ok).toBe(true);
        const honest = [told.model[i - 1], told.model[i]].map((documents) => picture(documents));
        readers[0].acceptCommit(tampered(told.commits[i], edits));
        readers[1].acceptState(tampered(told.states[i], edits));
        for (const reader of readers) expect(honest).toContain(picture(reader.state?.documents));
        for (const reader of readers) expect(reader.acceptCommit(told.commits[i]).ok).toBe(true);
      }),
      { numRuns: 120 },
    );
  });

  it('takes no value of a commit or state exchanged for another', () => {
    fc.assert(
      fc.property(history, fc.nat(), fc.nat(), fc.jsonValue(), (steps, pick, where, value) => {
        const told = tell([[put(0)], ...steps]);
        const i = pick % told.commits.length;
        const reader = open(told);
        if (i > 0) reader.acceptState(told.states[i - 1]);
        const honest = [told.model[i - 1], told.model[i]].map((documents) => picture(documents));
        reader.acceptCommit(exchanged(told.commits[i], where, value));
        expect(honest).toContain(picture(reader.state?.documents));
        reader.acceptState(exchanged(told.states[i], where, value));
        expect(honest).toContain(picture(reader.state?.documents));
      }),
      { numRuns: 120 },
    );
  });
});

describe('control: a reader that believes what it is told', () => {
  it('serves the tampered commit that the verifier refuses', () => {
    const channel = signedChannel();
    const commit = channel.commit(kill(1));
    const tamperedWith = { ...commit, changes: [put(1)] };
    const believed = new Map(tamperedWith.changes.map(({ flagId: id, doc }) => [id, doc]));
    expect(believed.get(flagId(1))?.killed).toBeUndefined();
    const reader = openChannelReader({ ...PLACE, pin: channel.pin, now: () => NOW });
    reader.acceptTrust(channel.trust);
    expect(reader.acceptCommit(tamperedWith)).toMatchObject({ ok: false, code: 'digest-mismatch' });
    expect(reader.acceptCommit(commit).ok).toBe(true);
    expect(reader.state?.documents.get(flagId(1))?.killed).toBeDefined();
  });
});

describe('a snapshot', () => {
  it('is split into chunks of at most 256 KiB and gives back what it was made of', () => {
    const channel = signedChannel();
    // Does not compress to less than half: about 25 kB each.
    const noise = (i: number) =>
      Array.from({ length: 780 }, (_, k) => documentDigest(flag(i, { position: k + 1 }))).join('');
    for (let i = 0; i < 40; i++) channel.commit(put(i, { variants: { on: noise(i), off: '' } }));
    const chunks = channel.author.snapshot();
    expect(chunks.length).toBeGreaterThan(3);
    for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(262_144);
    const { head, documents } = readSnapshot(chunks);
    const reader = openChannelReader({ ...PLACE, pin: channel.pin, now: () => NOW });
    expect(reader.acceptState({ ...channel.state(), head, documents }).ok).toBe(true);
    expect(() => readSnapshot(chunks.slice(1))).toThrow('chunk 0');
    expect(() => readSnapshot(chunks.slice(0, -1))).toThrow('of');
    expect(() => readSnapshot([...chunks].reverse())).toThrow('chunk 0');
    channel.commit(put(0));
    const [newer = new Uint8Array(), ...rest] = channel.author.snapshot();
    expect(() => readSnapshot([newer, ...chunks.slice(1, rest.length + 1)])).toThrow('another snapshot');
  });
});

describe('a commit that is too large', () => {
  it('is split, kills first, each part verifiable and only the last claiming the position', () => {
    const channel = signedChannel();
    const big = 'x'.repeat(60_000);
    const changes = Array.from({ length: 12 }, (_, i) =>
      i === 11 ? kill(i, { owner: 'kill' }) : put(i, { variants: { on: big, off: '' } }),
    );
    const commits = channel.author.commit(changes, 7);
    expect(commits.length).toBeGreaterThan(2);
    for (const commit of commits) expect(JSON.stringify(commit).length).toBeLessThanOrEqual(262_144);
    expect(commits[0]?.changes[0]?.doc?.owner).toBe('kill');
    expect(commits.map(({ head }) => head.h.position)).toEqual([...commits.slice(1).map(() => 0), 7]);
    const reader = openChannelReader({ ...PLACE, pin: channel.pin, now: () => NOW });
    reader.acceptTrust(channel.trust);
    for (const commit of commits) expect(reader.acceptCommit(JSON.stringify(commit)).ok).toBe(true);
    expect(reader.state?.documents.size).toBe(12);
  });

  it('throws for a document that no commit can carry', () => {
    const channel = signedChannel();
    const doc = put(1, { variants: { on: 'x'.repeat(140_000), off: '' } });
    expect(() => channel.author.commit([doc], 1)).toThrow('too many');
  });
});

function tampered(value: unknown, edits: readonly { at: number; byte: number }[]): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(value));
  for (const { at, byte } of edits) bytes[at % bytes.length] = byte;
  return bytes;
}

/** A copy with the value at one place, counted over all places, exchanged. */
function exchanged(value: unknown, where: number, by: unknown): unknown {
  const places: (readonly string[])[] = [];
  const visit = (node: unknown, path: readonly string[]): void => {
    if (path.length > 0) places.push(path);
    if (node !== null && typeof node === 'object')
      for (const [name, child] of Object.entries(node)) visit(child, [...path, name]);
  };
  visit(value, []);
  const copy = structuredClone(value) as Record<string, unknown>;
  const path = places[where % places.length] ?? [];
  let node = copy;
  for (const name of path.slice(0, -1)) node = node[name] as Record<string, unknown>;
  node[path.at(-1) ?? ''] = by;
  return copy;
}
