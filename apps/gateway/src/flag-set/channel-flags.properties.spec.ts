import { compileFlag } from '@headgate/evaluation';
import { type ChannelReader, openChannelReader } from '@headgate/trust';
import fc from 'fast-check';
import { SignedChannel } from '../../../../test/support/signed-channel.js';
import { ChannelFlagSet } from './channel-flags.js';

type Step =
  | { readonly kind: 'change'; readonly index: number; readonly isOn: boolean; readonly key: string | null }
  | { readonly kind: 'kill' | 'missed-kill'; readonly index: number }
  | { readonly kind: 'swap-keys'; readonly index: number; readonly other: number }
  | { readonly kind: 'end'; readonly index: number }
  | { readonly kind: 'expire' | 'beat' | 'whole-state' | 'restart' };

const index = fc.integer({ min: 1, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('change' as const),
    index,
    isOn: fc.boolean(),
    key: fc.option(fc.constantFrom('moved-a', 'moved-b'), { freq: 3 }),
  }),
  fc.record({ kind: fc.constantFrom('kill' as const, 'missed-kill' as const), index }),
  fc.record({ kind: fc.constant('swap-keys' as const), index, other: index }),
  fc.record({ kind: fc.constant('end' as const), index }),
  fc.record({
    kind: fc.constantFrom('expire' as const, 'beat' as const, 'whole-state' as const, 'restart' as const),
  }),
);

/** A channel, its reader and the flags fed by it, as a gateway has them. */
class World {
  now = 1_800_000_000_000;
  readonly channel = new SignedChannel({ now: () => this.now, lifeMs: 60_000 });
  readonly flags = this.open();
  reader = this.read(null);
  /** What lives in the channel: ids that may be ended, keys that are taken. */
  private readonly live = new Map<number, string>();

  constructor() {
    this.reader.acceptState(this.channel.state());
    this.sync();
  }

  take(made: Step): void {
    switch (made.kind) {
      case 'change': {
        const key = made.key ?? `flag-${made.index}`;
        const isTaken = [...this.live].some(([other, taken]) => other !== made.index && taken === key);
        if (isTaken) return;
        this.live.set(made.index, key);
        this.commit(this.channel.document(made.index, { key, defaultVariant: made.isOn ? 'on' : 'off' }));
        return;
      }
      case 'swap-keys': {
        const [a, b] = [this.live.get(made.index), this.live.get(made.other)];
        if (a === undefined || b === undefined || a === b) return;
        this.live.set(made.index, b).set(made.other, a);
        this.commit(
          this.channel.document(made.index, { key: b }),
          this.channel.document(made.other, { key: a }),
        );
        return;
      }
      case 'missed-kill': {
        const key = this.live.get(made.index);
        if (key === undefined) return;
        const killed = { at: this.now, why: 'missed' };
        this.channel.commit(this.channel.document(made.index, { key, state: 'DISABLED', killed }));
        this.reader.acceptState(this.channel.state(null));
        this.sync();
        return;
      }
      case 'kill': {
        const key = this.live.get(made.index);
        if (key === undefined) return;
        const killed = { at: this.now, why: 'x' };
        this.commit(this.channel.document(made.index, { key, state: 'DISABLED', killed }));
        return;
      }
      case 'end':
        if (!this.live.delete(made.index)) return;
        this.commit({ flagId: this.channel.document(made.index).flagId, ended: true });
        return;
      case 'expire':
        this.now += 60_001;
        return;
      case 'beat':
        this.apply(this.reader.acceptBeat(this.channel.beat()));
        return;
      case 'whole-state':
        this.reader.acceptState(this.channel.state());
        this.sync();
        return;
      case 'restart':
        this.reader = this.read(this.reader);
        this.sync();
        // What the stream has beyond the copy on disk, without a newer sign of life.
        this.reader.acceptState(this.channel.state(null));
        this.sync();
        return;
    }
  }

  private commit(...documents: Parameters<SignedChannel['commit']>): void {
    this.apply(this.reader.acceptCommit(this.channel.commit(...documents)));
  }

  private apply(acceptance: ReturnType<ChannelReader['acceptCommit']>): void {
    if (!acceptance.ok) throw new Error(acceptance.message);
    this.flags.apply(acceptance.changed, this.reader.state!, this.reader.tip!.h);
  }

  private sync(): void {
    this.flags.sync(this.reader.state!, this.reader.tip!.h);
  }

  /** A reader that knows what the one before it kept on disk. */
  private read(before: ChannelReader | null): ChannelReader {
    const { project, channel, pin } = this.channel;
    const seen = before?.seen ?? null;
    const reader = openChannelReader({ project, channel, pin, now: () => this.now, seen });
    const local = before?.localState();
    if (local) reader.acceptState(local);
    return reader;
  }

  private open(): ChannelFlagSet {
    return new ChannelFlagSet({
      project: 'shop',
      channel: 'stable',
      now: () => this.now,
      onLeftOut: () => {},
    });
  }
}

describe('the flags of a channel', () => {
  it('are what its reader serves, evaluated, whatever came in whichever order', () => {
    let [kept, ended] = [0, 0];
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
        const world = new World();
        try {
          for (const made of steps) {
            const keysBefore = [...world.flags.all()].length;
            world.take(made);
            const served = [...world.reader.state!.documents.values()].sort((a, b) =>
              a.key < b.key ? -1 : 1,
            );
            expect([...world.flags.all()].map(({ document }) => document)).toEqual(served);
            for (const document of served) {
              const found = world.flags.find(document.key);
              expect(found?.evaluate({})).toEqual(compileFlag(document)({}));
              expect(found?.digest).toBe(world.reader.state!.digests.get(document.flagId));
            }
            const written = JSON.parse(world.flags.flagdJson().toString()) as {
              flags: Record<string, { state: string }>;
            };
            expect(Object.entries(written.flags).map(([key, { state }]) => [key, state])).toEqual(
              served.map(({ key, state }) => [key, state]),
            );
            if (world.flags.revision?.includes('+')) kept += 1;
            if (served.length < keysBefore) ended += 1;
          }
        } finally {
          world.flags.close();
        }
      }),
      { numRuns: 100 },
    );
    // The interesting cases did come up.
    expect(Math.min(kept, ended)).toBeGreaterThan(10);
  });
});
