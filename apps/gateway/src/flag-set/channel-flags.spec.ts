import { openChannelReader } from '@headgate/trust';
import { FlagdCore } from '@openfeature/flagd-core';
import { SignedChannel } from '../../../../test/support/signed-channel.js';
import { until } from '../../../../test/support/until.js';
import type { FlagsChange } from './change-gatherer.js';
import { ChannelFlagSet } from './channel-flags.js';

const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

describe('ChannelFlagSet', () => {
  let now: number;
  let channel: SignedChannel;
  let flags: ChannelFlagSet;
  let leftOut: string[];
  let changes: FlagsChange[];

  beforeEach(() => {
    now = 1_800_000_000_000;
    channel = new SignedChannel({ now: () => now, lifeMs: 60_000 });
    channel.commit(channel.document(2), channel.document(1));
    [leftOut, changes] = [[], []];
    flags = open();
    flags.onChange((change) => changes.push(change));
  });
  afterEach(() => flags.close());

  const open = () =>
    new ChannelFlagSet({
      project: 'shop',
      channel: 'stable',
      now: () => now,
      onLeftOut: (key, problem) => leftOut.push(`${key}: ${problem}`),
    });
  const follow = () => {
    const reader = openChannelReader({
      project: 'shop',
      channel: 'stable',
      pin: channel.pin,
      now: () => now,
    });
    const take = (acceptance: ReturnType<typeof reader.acceptCommit>) => {
      if (!acceptance.ok) throw new Error(acceptance.message);
      if (reader.state !== null && reader.tip !== null)
        flags.apply(acceptance.changed, reader.state, reader.tip.h);
    };
    take(reader.acceptState(channel.state()));
    const commit = (...documents: Parameters<SignedChannel['commit']>) =>
      take(reader.acceptCommit(channel.commit(...documents)));
    return { reader, commit, beat: () => take(reader.acceptBeat(channel.beat())) };
  };
  const keys = () => [...flags.all()].map(({ document }) => document.key);
  const flagd = () => JSON.parse(flags.flagdJson().toString());

  it('holds nothing before the first state', () => {
    expect([flags.revision, keys(), flagd().flags]).toEqual([null, [], {}]);
  });

  it('gives flags by key and in order, evaluated as the SDK does', () => {
    follow();
    expect(keys()).toEqual(['flag-1', 'flag-2']);
    expect(flags.find('flag-1')?.evaluate({})).toEqual({ variant: 'off', value: false, reason: 'STATIC' });
    expect(flags.find('flag-1')?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(flags.find('flag-3')).toBeUndefined();
    expect([flags.revision, changes]).toEqual([
      '1.2',
      [{ keys: ['flag-1', 'flag-2'], revision: '1.2', isUrgent: false }],
    ]);
  });

  it('compiles anew only what changed', () => {
    const { commit } = follow();
    const [one, two] = [flags.find('flag-1'), flags.find('flag-2')];
    commit(channel.document(1, { defaultVariant: 'on' }));
    expect(flags.find('flag-1')).not.toBe(one);
    expect(flags.find('flag-1')?.evaluate({}).value).toBe(true);
    expect(flags.find('flag-2')).toBe(two);
  });

  it('keeps what was compiled when a whole state says nothing new, and ends what is not in it', () => {
    const { reader } = follow();
    const one = flags.find('flag-1');
    channel.commit({ flagId: channel.document(2).flagId, ended: true }, channel.document(3));
    reader.acceptState(channel.state());
    flags.sync(reader.state!, reader.tip!.h);
    expect(flags.find('flag-1')).toBe(one);
    expect(keys()).toEqual(['flag-1', 'flag-3']);
  });

  it('follows a key that moves to another flag, and a flag that gets another key', () => {
    const { commit } = follow();
    commit(
      { flagId: channel.document(1).flagId, ended: true },
      channel.document(3, { key: 'flag-1', defaultVariant: 'on' }),
    );
    expect(flags.find('flag-1')?.evaluate({}).value).toBe(true);
    commit(channel.document(3, { key: 'renamed' }));
    expect(keys()).toEqual(['flag-2', 'renamed']);
  });

  describe('under an expired beat', () => {
    it('takes kills and nothing else, and says so in its revision', () => {
      const { commit, beat } = follow();
      now += 60_001;
      commit(channel.document(1, { defaultVariant: 'on' }));
      expect(flags.find('flag-1')?.evaluate({}).value).toBe(false);
      commit(channel.document(2, { state: 'DISABLED', killed: { at: now, why: 'broken' } }));
      expect(flags.find('flag-2')?.evaluate({}).reason).toBe('DISABLED');
      expect(flagd().flags['flag-2'].state).toBe('DISABLED');
      expect(flags.revision).toBe('1.2+1.4');
      beat();
      expect(flags.find('flag-1')?.evaluate({}).value).toBe(true);
      expect(flags.revision).toBe('1.4');
    });
  });

  it('tells the first change at once, those that follow closely together, and a flag that goes off at once', async () => {
    const { commit } = follow();
    now += 1_000;
    commit(channel.document(1, { why: 'a' }));
    commit(channel.document(2, { why: 'b' }));
    commit(channel.document(1, { why: 'c' }));
    expect(changes.map(({ revision }) => revision)).toEqual(['1.2', '1.3']);
    await until('the rest', () => changes.length === 3);
    expect(changes[2]).toEqual({ keys: ['flag-1', 'flag-2'], revision: '1.5', isUrgent: false });
    commit(channel.document(2, { why: 'd' }));
    commit(channel.document(1, { state: 'DISABLED', killed: { at: now, why: 'x' } }));
    expect(changes[3]).toEqual({ keys: ['flag-1', 'flag-2'], revision: '1.7', isUrgent: true });
  });

  describe('the flagd document', () => {
    it('is taken whole by flagd’s own library, and encoded once per change', () => {
      const { commit } = follow();
      const first = flags.flagdJson();
      expect(flags.flagdJson()).toBe(first);
      expect(flagd().metadata).toEqual({ flagSetId: 'shop/stable' });
      commit(channel.document(1, { defaultVariant: 'on', metadata: { team: 'a' } }));
      const core = new FlagdCore(undefined, quiet);
      core.setConfigurations(flags.flagdJson().toString());
      expect(core.resolveBooleanEvaluation('flag-1', false, {})).toMatchObject({
        value: true,
        flagMetadata: { flagSetId: 'shop/stable', team: 'a' },
      });
    });

    it('changes for flagd’s own library where a flag did, and nowhere else', () => {
      const { commit } = follow();
      const core = new FlagdCore(undefined, quiet);
      core.setConfigurations(flags.flagdJson().toString());
      commit(channel.document(1, { defaultVariant: 'on' }));
      expect(core.setConfigurations(flags.flagdJson().toString())).toEqual(['flag-1']);
    });

    it('leaves out what flagd clients could not take, tells it once, and sends the rest', () => {
      const { commit } = follow();
      commit(
        channel.document(1, { targeting: { regex: ['a'] } }),
        channel.document(3, { defaultVariant: 'maybe' }),
      );
      expect(Object.keys(flagd().flags)).toEqual(['flag-2']);
      commit(channel.document(2, { why: 'again' }));
      flags.flagdJson();
      expect(leftOut).toEqual([
        expect.stringMatching(/^flag-1: .*"regex" does not exist/),
        'flag-3: its default "maybe" is not one of its variants',
      ]);
    });
  });
});
