import type { ChannelState, Commit, FlagDocument } from '@headgate/contracts';
import { compileFlag } from '@headgate/evaluation';
import { type ScriptedGateway, startScriptedGateway } from '../../../test/support/scripted-gateway.js';
import { SignedChannel } from '../../../test/support/signed-channel.js';
import { until } from '../../../test/support/until.js';
import { connectHeadgate } from './connect-headgate.js';
import { machineEnvironment } from './environment.js';
import type { Headgate } from './headgate.js';

type Sent = readonly ['state', ChannelState] | readonly ['commit', Commit];

/** The control: a reader that believes what it is told. It shows that each attack would work. */
const naiveReader = (sent: readonly Sent[]): Map<string, unknown> => {
  const documents = new Map<string, FlagDocument>();
  for (const [event, data] of sent) {
    if (event === 'state') documents.clear();
    const changes =
      event === 'state' ? data.documents.map((doc) => ({ flagId: doc.flagId, doc })) : data.changes;
    for (const { flagId, doc } of changes) {
      if (doc) documents.set(flagId, doc);
      else documents.delete(flagId);
    }
  }
  return new Map([...documents.values()].map((doc) => [doc.key, compileFlag(doc)({}).value]));
};

describe('a mirror that', () => {
  let channel: SignedChannel;
  let now: number;
  let gateway: ScriptedGateway | null;
  let client: Headgate | null;

  beforeEach(() => {
    now = Date.now();
    channel = new SignedChannel({ now: () => now });
    gateway = null;
    client = null;
  });
  afterEach(async () => {
    await client?.close();
    await gateway?.close();
  });

  /** A client that holds the honest state, and a mirror that then sends `attack` to it and again to every reconnect. */
  const under = async (honest: readonly Sent[], attack: readonly Sent[]): Promise<Headgate> => {
    gateway = await startScriptedGateway({
      onStream: (stream, _response, nth) => {
        for (const [event, data] of nth === 1 && honest.length > 0 ? honest : attack)
          stream.send(event, data);
      },
    });
    client = connectHeadgate(
      {
        url: gateway.url,
        project: 'shop',
        channel: 'stable',
        root: channel.pin,
        instanceId: 'host-1',
        siteSalt: 'salt',
        telemetry: false,
      },
      { ...machineEnvironment, now: () => now, random: () => 0.2, variables: {} },
    );
    const held = client;
    if (honest.length > 0) expect(await held.ready(10_000)).toBe(true);
    for (const [event, data] of attack) gateway.streams[0]?.send(event, data);
    return held;
  };
  const refusal = (held: Headgate, code: string): Promise<unknown> =>
    until(`refusal ${code}; got ${held.status().problems.map((p) => p.code)}`, () =>
      held.status().problems.some((problem) => problem.code === `refused-${code}`),
    );

  const killed = { state: 'DISABLED', killed: { at: 1, why: 'broken' } } as const;

  it('alters a document in a state is refused; a naive reader serves it', async () => {
    channel.commit(channel.document(1));
    const honest = [['state', channel.state()]] as const;
    const state = structuredClone(channel.state());
    const altered = { ...state, documents: state.documents.map((d) => ({ ...d, defaultVariant: 'on' })) };
    const attack = [['state', altered]] as const;
    expect(naiveReader([...honest, ...attack]).get('flag-1')).toBe(true);
    const held = await under([], attack);
    await refusal(held, 'digest-mismatch');
    expect(held.boolean('flag-1', false)).toBe(false);
    expect(held.status().flags).toBe('none');
  });

  it('alters a commit is refused; a naive reader serves it', async () => {
    channel.commit(channel.document(1));
    const honest = [['state', channel.state()]] as const;
    const commit = channel.commit(channel.document(1, { why: 'a new reason' }));
    const altered = {
      ...commit,
      changes: commit.changes.map((c) => ({ ...c, doc: c.doc && { ...c.doc, defaultVariant: 'on' } })),
    };
    const attack = [['commit', altered]] as const;
    expect(naiveReader([...honest, ...attack]).get('flag-1')).toBe(true);
    const held = await under(honest, attack);
    await refusal(held, 'digest-mismatch');
    expect(held.boolean('flag-1', true)).toBe(false);
  });

  it('signs with a key of its own is refused, whatever root it brings along', async () => {
    channel.commit(channel.document(1));
    const honest = [['state', channel.state()]] as const;
    const forger = new SignedChannel({ now: () => now });
    forger.commit(forger.document(1));
    forger.commit(forger.document(1, { defaultVariant: 'on' }));
    const attack = [['state', forger.state()]] as const;
    expect(naiveReader([...honest, ...attack]).get('flag-1')).toBe(true);
    const held = await under(honest, attack);
    await refusal(held, 'untrusted');
    expect(held.boolean('flag-1', true)).toBe(false);
  });

  it('replays the state of before a kill is refused; a naive reader brings the killed path back', async () => {
    channel.commit(channel.document(1, { defaultVariant: 'on' }));
    const before = channel.state();
    channel.commit(channel.document(1, { defaultVariant: 'on', ...killed }));
    const honest = [['state', channel.state()]] as const;
    const attack = [['state', before]] as const;
    expect(naiveReader(honest).get('flag-1')).toBeUndefined();
    expect(naiveReader([...honest, ...attack]).get('flag-1')).toBe(true);
    const held = await under(honest, attack);
    await refusal(held, 'rolled-back');
    expect(held.boolean('flag-1', false)).toBe(false);
    expect(held.status().head?.n).toBe(3);
  });

  it('withholds one commit of a series is noticed; a naive reader never hears of the kill', async () => {
    channel.commit(channel.document(1, { defaultVariant: 'on' }));
    const honest = [['state', channel.state()]] as const;
    channel.commit(channel.document(1, { defaultVariant: 'on', ...killed }));
    const later = channel.commit(channel.document(2, { defaultVariant: 'on' }));
    const attack = [['commit', later]] as const;
    expect(naiveReader([...honest, ...attack])).toEqual(
      new Map([
        ['flag-1', true],
        ['flag-2', true],
      ]),
    );
    const held = await under(honest, attack);
    await refusal(held, 'gap');
    expect(held.boolean('flag-2', false)).toBe(false);
    expect(held.status().head?.n).toBe(2);
  });

  it('leaves a flag out of a state is refused; a naive reader loses the flag', async () => {
    channel.commit(channel.document(1, { defaultVariant: 'on' }), channel.document(2));
    const whole = channel.state();
    const attack = [['state', { ...whole, documents: whole.documents.slice(1) }]] as const;
    expect(naiveReader(attack).has('flag-1')).toBe(false);
    const held = await under([], attack);
    await refusal(held, 'digest-mismatch');
    expect(held.status().flags).toBe('none');
  });

  it('mixes documents of two honest states is refused; a naive reader serves the mixture', async () => {
    channel.commit(channel.document(1, { defaultVariant: 'on' }), channel.document(2));
    const older = channel.state();
    channel.commit(channel.document(1), channel.document(2, { defaultVariant: 'on' }));
    const newer = channel.state();
    const mixed = { ...newer, documents: [older.documents[0]!, newer.documents[1]!] };
    const attack = [['state', mixed]] as const;
    expect(naiveReader(attack)).toEqual(
      new Map([
        ['flag-1', true],
        ['flag-2', true],
      ]),
    );
    const held = await under([], attack);
    await refusal(held, 'digest-mismatch');
    expect(held.boolean('flag-1', false)).toBe(false);
  });

  it('passes another channel of the same name off as this one is refused', async () => {
    const other = new SignedChannel({ channel: 'candidate', now: () => now });
    other.commit(other.document(1, { defaultVariant: 'on' }));
    const attack = [['state', { ...other.state(), trust: channel.trust }]] as const;
    expect(naiveReader(attack).get('flag-1')).toBe(true);
    const held = await under([], attack);
    await refusal(held, 'wrong-channel');
    expect(held.status().flags).toBe('none');
  });

  it('falls silent shows: what it holds becomes stale, and a late kill still gets through', async () => {
    channel.commit(channel.document(1, { defaultVariant: 'on' }));
    const held = await under([['state', channel.state()]], []);
    expect(held.details('flag-1', false)).toMatchObject({ reason: 'STATIC', stale: false });
    now += 2 * 86_400_000;
    expect(held.details('flag-1', false)).toMatchObject({
      value: true,
      reason: 'STALE',
      stale: true,
      ageMs: 172_800_000,
    });
    gateway?.streams[0]?.send(
      'commit',
      channel.commit(channel.document(1, { defaultVariant: 'on', ...killed })),
    );
    await until('the kill', () => !held.boolean('flag-1', false));
    expect(held.details('flag-1', false)).toMatchObject({ reason: 'DISABLED', stale: true });
  });
});
