import { type Commit, commit, commitSubject, type FlagDefinition, STREAMS } from '@headgate/contracts';
import type { Command } from '@headgate/domain';
import { compileFlag } from '@headgate/evaluation';
import { until } from '../../../test/support/until.js';
import { type Installation, openInstallation, PLACE } from './installation.fixture.js';

const base: FlagDefinition = {
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  overridable: 'none',
};

describe.each(['in memory', 'on nats-server'] as const)('flags that hang together, %s', (where) => {
  let at: Installation;
  let segmentId: string;
  let [gate, needy, last, apart]: string[] = [];
  const why = 'a spec says so';
  const { project, channel } = PLACE;

  beforeEach(async () => {
    at = await openInstallation(where);
    segmentId = at.commands.commandId();
    await at.handle({
      type: 'create-segment',
      project,
      channel,
      segmentId,
      name: 'insiders',
      definition: { when: { var: 'insider' } },
      why,
    });
    gate = await create('gate', { rules: [{ when: { $ref: 'insiders' }, serve: { variant: 'on' } }] });
    needy = await create('needy', {
      prerequisites: [{ flag: 'gate', variants: ['on'] }],
      defaultVariant: 'on',
    });
    last = await create('last', {
      prerequisites: [{ flag: 'needy', variants: ['on'] }],
      defaultVariant: 'on',
    });
    apart = await create('apart', {});
  });
  afterEach(() => at.close());

  const create = async (key: string, over: Partial<FlagDefinition>): Promise<string> => {
    const flagId = at.commands.commandId();
    await at.handle({
      type: 'create-flag',
      project,
      channel,
      flagId,
      key,
      definition: { ...base, ...over },
      why,
    });
    return flagId;
  };
  const changeSegment = (attribute: string): Command => ({
    type: 'change-segment',
    project,
    segmentId,
    definition: { when: { var: attribute } },
    why,
  });
  const newestCommit = async (): Promise<Commit> => {
    const { tip } = await at.coldRead();
    const message = await at.streams.last(STREAMS.flags, commitSubject(project, channel, tip?.h.n ?? 0));
    return commit.parse(JSON.parse(Buffer.from(message?.data ?? []).toString()));
  };
  const served = async (flagId: string | undefined, context: object) => {
    const { state } = await at.coldRead();
    const document = state?.documents.get(flagId ?? '');
    return document && compileFlag(document)(context as Record<string, unknown>).value;
  };

  it('are published in one commit when what they wait for is killed, the kill first', async () => {
    at.publisher();
    await at.untilPublished();
    expect(await served(last, { insider: true })).toBe(true);
    await at.handle(at.commands.killFlag(project, gate ?? ''));
    await at.untilPublished();
    const { changes, head } = await newestCommit();
    expect(changes[0]).toMatchObject({ flagId: gate, doc: { state: 'DISABLED' } });
    expect(changes.map(({ flagId }) => flagId).sort()).toEqual([gate, needy, last].sort());
    expect(head.h.position).toBe(8);
    expect([await served(needy, { insider: true }), await served(last, { insider: true })]).toEqual([
      undefined,
      undefined,
    ]);
    await at.handle(at.commands.liftKill(project, gate ?? ''));
    await at.untilPublished();
    expect(await served(last, { insider: true })).toBe(true);
  });

  it('follow a segment, through what they wait for', async () => {
    at.publisher();
    await at.untilPublished();
    await at.handle(changeSegment('staff'));
    await at.untilPublished();
    const { changes } = await newestCommit();
    expect(changes.map(({ flagId }) => flagId).sort()).toEqual([gate, needy, last].sort());
    expect(changes.map(({ doc }) => doc?.position)).toEqual([8, 8, 8]);
    expect([await served(last, { insider: true }), await served(last, { staff: true })]).toEqual([
      undefined,
      true,
    ]);
    expect((await at.coldRead()).state?.documents.get(apart ?? '')?.position).toBe(7);
  });

  it('are brought up to date by a publisher that was away', async () => {
    const first = at.publisher();
    await at.untilPublished();
    await first.publisher.close();
    const before = (await at.coldRead()).tip?.h.n ?? 0;
    await at.handle(changeSegment('staff'));
    await at.handle(at.commands.killFlag(project, needy ?? ''));
    at.publisher();
    await at.untilPublished();
    expect((await at.coldRead()).tip?.h).toMatchObject({ n: before + 1, position: 9 });
    expect(await served(gate, { staff: true })).toBe(true);
    expect(await served(last, { staff: true })).toBeUndefined();
  });

  it('are published once by two publishers, in one chain', async () => {
    const two = [at.publisher({ beatEveryMs: 200 }), at.publisher({ beatEveryMs: 200 })];
    for (let i = 0; i < 10; i++) {
      await at.handle(changeSegment(`attribute-${i}`));
      await at.handle(at.commands.killFlag(project, gate ?? ''));
      await at.handle(at.commands.liftKill(project, gate ?? ''));
    }
    await at.untilPublished();
    const { tip, equivocations } = await at.coldRead();
    expect(equivocations).toEqual([]);
    await until('all commits to be noted', () => committed().includes(tip?.h.n ?? 0));
    expect(new Set(committed()).size).toBe(committed().length);
    expect(await served(last, { 'attribute-9': true })).toBe(true);
    await two[0]?.publisher.close();
    await at.handle(changeSegment('alone'));
    await at.untilPublished();
    expect(await served(last, { alone: true })).toBe(true);

    function committed(): number[] {
      return two
        .flatMap(({ notes }) => notes)
        .flatMap((note) => (note.kind === 'published' && note.what === 'commit' ? [note.n] : []));
    }
  });
});
