import type { FlagDefinition, TargetingRule } from '@headgate/contracts';
import { given, idOf, stateAfter } from '@headgate/testing';
import type { Command } from '../commands.js';
import { compileDocument } from '../flag/compile-document.js';
import { surroundingsOf } from '../surroundings-of.js';

const definition: FlagDefinition = {
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  overridable: 'none',
};
const project: Command = {
  type: 'create-project',
  project: 'web',
  projectId: idOf(1),
  name: 'Web',
  why: 'start',
};
const channel: Command = {
  type: 'create-channel',
  project: 'web',
  channelId: idOf(2),
  slug: 'stable',
  beatLifetimeMs: 60_000,
  why: 'start',
};
const create: Command = {
  type: 'create-segment',
  project: 'web',
  segmentId: idOf(3),
  channel: 'stable',
  name: 'insiders',
  definition: { when: { var: 'insider' } },
  why: 'ours',
};
const change = (when: object): Command => ({
  type: 'change-segment',
  project: 'web',
  segmentId: idOf(3),
  definition: { when: when as never },
  why: 'wider',
});
const remove: Command = { type: 'remove-segment', project: 'web', segmentId: idOf(3), why: 'done' };
const flag = (n: number, key: string, over: Partial<FlagDefinition> = {}): Command => ({
  type: 'create-flag',
  project: 'web',
  flagId: idOf(n),
  channel: 'stable',
  key,
  definition: { ...definition, ...over },
  why: 'x',
});
const insiders = flag(4, 'beta', { rules: [{ when: { $ref: 'insiders' }, serve: { variant: 'on' } }] });
const needy = flag(5, 'needy', { prerequisites: [{ flag: 'beta', variants: ['on'] }] });
const start = [project, channel, create];

describe('a segment', () => {
  it('is created in a channel', () =>
    given(project, channel)
      .when(create)
      .thenDecides({
        type: 'segment-created.v1',
        data: { channel: 'stable', name: 'insiders', definition: { when: { var: 'insider' } }, why: 'ours' },
      }));
  it('needs its channel', () => given(project).when(create).thenRefused('channel-unknown'));
  it('has its name alone, until it is removed', () => {
    const again = { ...create, segmentId: idOf(9) } as Command;
    given(...start)
      .when(again)
      .thenRefused('already-exists');
    given(...start, remove)
      .when(again)
      .thenDecides({
        type: 'segment-created.v1',
        data: { channel: 'stable', name: 'insiders', definition: { when: { var: 'insider' } }, why: 'ours' },
      });
  });
  it('is changed as a whole', () =>
    given(...start)
      .when(change({ var: 'staff' }))
      .thenDecides({
        type: 'segment-changed.v1',
        data: { definition: { when: { var: 'staff' } }, why: 'wider' },
      }));
  it.each([{ shout: 1 }, { $ref: 'insiders' }, { and: [{ $ref: 'others' }, true] }, {}])(
    'is refused with a condition like %j',
    (when) =>
      given(...start)
        .when(change(when))
        .thenRefused('segment-invalid'),
  );
  it('is removed once, and only when no flag uses it', () => {
    given(...start)
      .when(remove)
      .thenDecides({ type: 'segment-removed.v1', data: { why: 'done' } });
    given(...start, remove)
      .when(remove)
      .thenRefused('not-found');
    given(...start, insiders)
      .when(remove)
      .thenRefused('segment-in-use');
    const archive: Command = { type: 'archive-flag', project: 'web', flagId: idOf(4), why: 'x' };
    given(...start, insiders, archive)
      .when(remove)
      .thenDecides({ type: 'segment-removed.v1', data: { why: 'done' } });
    const without: Command = { type: 'change-flag', project: 'web', flagId: idOf(4), definition, why: 'x' };
    given(...start, insiders, without)
      .when(remove)
      .thenDecides({ type: 'segment-removed.v1', data: { why: 'done' } });
  });
  it('is refused when what uses it would grow too large', () => {
    const long = {
      in: [{ var: 'x' }, Array.from({ length: 600 }, (_, i) => `a value that is long, number ${i}`)],
    };
    const rules = [1, 2, 3, 4, 5, 6].map(
      (n): TargetingRule => ({
        when: { and: [{ $ref: 'insiders' }, { '==': [{ var: 'n' }, n] }] },
        serve: { variant: 'on' },
      }),
    );
    const users = flag(4, 'beta', { rules });
    given(...start, users)
      .when(change(long))
      .thenRefused('flag-needed');
  });
});

describe('what hangs on a segment or a flag', () => {
  const documentAfter = (n: number, ...commands: readonly Command[]) => {
    const state = stateAfter(...start, insiders, needy, ...commands);
    return compileDocument('web', state.flags.get(idOf(n))!, surroundingsOf(state, 'stable'))!;
  };
  const kill: Command = { type: 'kill-flag', project: 'web', flagId: idOf(4), why: 'fire' };

  it('has the position of the newest event that changed its document', () => {
    expect([documentAfter(4).position, documentAfter(5).position]).toEqual([4, 5]);
    const changed = change({ var: 'staff' });
    expect([documentAfter(4, changed), documentAfter(5, changed)]).toMatchObject([
      { position: 6, why: 'x', targeting: { if: [{ var: 'staff' }, 'on', null] } },
      { position: 6, why: 'x' },
    ]);
    expect(JSON.stringify(documentAfter(5, changed).targeting)).toContain('staff');
  });
  it('feels a kill of what it waits for, its lift, its end and its return', () => {
    const unmet = undefined;
    const isMet = (...commands: readonly Command[]) => documentAfter(5, ...commands).targeting !== unmet;
    const lift: Command = { ...kill, type: 'lift-kill' } as Command;
    const archive: Command = { ...kill, type: 'archive-flag' } as Command;
    const again = { ...insiders, flagId: idOf(8) } as Command;
    expect([isMet(), isMet(kill), isMet(kill, lift), isMet(archive), isMet(archive, again)]).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
    expect(documentAfter(5, archive, again).position).toBe(7);
    expect(documentAfter(5, kill)).toMatchObject({ position: 6, defaultVariant: null });
  });
  it('keeps the variants that others wait for', () => {
    const renamed: Command = {
      type: 'change-flag',
      project: 'web',
      flagId: idOf(4),
      definition: { ...definition, variants: { yes: true, no: false }, defaultVariant: 'no' },
      why: 'words',
    };
    given(...start, insiders, needy)
      .when(renamed)
      .thenRefused('flag-needed');
    given(...start, insiders)
      .when(renamed)
      .thenDecides({
        type: 'flag-changed.v1',
        data: { definition: (renamed as Extract<Command, { type: 'change-flag' }>).definition, why: 'words' },
      });
  });
  it('cannot close a circle', () => {
    const closing: Command = {
      type: 'change-flag',
      project: 'web',
      flagId: idOf(4),
      definition: { ...definition, prerequisites: [{ flag: 'needy', variants: ['on'] }] },
      why: 'round',
    };
    given(...start, insiders, needy)
      .when(closing)
      .thenRefused('flag-invalid');
  });
});

describe('a rollout', () => {
  const request: Command = {
    type: 'request-rollout',
    project: 'web',
    rolloutId: idOf(7),
    seed: 's',
    channel: 'stable',
    flagId: idOf(4),
    variant: 'on',
    policy: {
      mode: 'active',
      alpha: 0.05,
      beta: 0.02,
      rollbackRule: 'average',
      onUnproven: 'roll-back',
      irreversible: false,
      hardLimits: [],
    },
    metrics: [],
    why: 'x',
  };
  it.each<[string, Partial<FlagDefinition>]>([
    ['fallthrough', { fallthrough: { variant: 'on' } }],
    ['schedule', { schedule: [{ at: 1, serve: { variant: 'on' } }] }],
  ])('is refused for a flag that has a %s', (_, over) =>
    given(project, channel, flag(4, 'beta', over))
      .when(request)
      .thenRefused('flag-invalid'),
  );
});

describe('a channel', () => {
  it('is full when flagd clients could not take it as one state, but takes what makes it smaller', () => {
    const big = (fill: number): FlagDefinition => ({
      ...definition,
      variants: { on: 'x'.repeat(fill), off: '' },
    });
    const flags = Array.from(
      { length: 70 },
      (_, i) => ({ ...flag(100 + i, `f${i}`), definition: big(60_000) }) as Command,
    );
    const fits = flags.slice(0, 69);
    given(project, channel, ...fits)
      .when(flags[69]!)
      .thenRefused('channel-full');
    const smaller: Command = {
      type: 'change-flag',
      project: 'web',
      flagId: idOf(100),
      definition: big(10),
      why: 'smaller',
    };
    given(project, channel, ...fits)
      .when(smaller)
      .thenDecides({ type: 'flag-changed.v1', data: { definition: big(10), why: 'smaller' } });
  });
});
