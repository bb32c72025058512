import type { EventData, FlagDefinition, VerdictDecision } from '@headgate/contracts';
import { eventOf, given, idOf, stateAfter } from '@headgate/testing';
import fc from 'fast-check';
import { CommandRefused } from '../command-refused.js';
import { aggregateOf, type Command } from '../commands.js';
import { decide } from '../decide.js';
import { compileDocument } from '../flag/compile-document.js';
import { applyEvent, type ProjectState } from '../project-state.js';
import { nextRolloutCommand } from './next-rollout-command.js';

const definition: FlagDefinition = {
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  overridable: 'none',
};
const policy = {
  mode: 'active',
  alpha: 0.05,
  beta: 0.02,
  rollbackRule: 'average',
  onUnproven: 'roll-back',
  irreversible: false,
  hardLimits: [],
} as const;
const ROLLOUT = idOf(4);
const start: Command[] = [
  { type: 'create-project', project: 'web', projectId: idOf(1), name: 'Web', why: 'start' },
  {
    type: 'create-channel',
    project: 'web',
    channelId: idOf(2),
    slug: 'stable',
    beatLifetimeMs: 60_000,
    why: 'start',
  },
  {
    type: 'create-flag',
    project: 'web',
    flagId: idOf(3),
    channel: 'stable',
    key: 'new-parser',
    definition,
    why: 'faster',
  },
];
const request: Extract<Command, { type: 'request-rollout' }> = {
  type: 'request-rollout',
  project: 'web',
  rolloutId: ROLLOUT,
  seed: 's1',
  channel: 'stable',
  flagId: idOf(3),
  variant: 'on',
  policy: { ...policy, hardLimits: [] },
  metrics: [],
  why: 'ship it',
};
const planned: EventData<'rollout-planned.v1'> = {
  ladderPpm: [50_000, 500_000],
  bakeMs: 20_000,
  plan: {},
  planDigest: '0'.repeat(64),
  why: '400 instances reported',
};
const plan: Command = { type: 'record-plan', project: 'web', rolloutId: ROLLOUT, planned };
const begin: Command = { type: 'begin-rollout', project: 'web', rolloutId: ROLLOUT, why: 'pre-period over' };
const verdict = (step: number, decision: VerdictDecision): Command => ({
  type: 'give-verdict',
  project: 'web',
  rolloutId: ROLLOUT,
  verdict: {
    step,
    decision,
    code: decision === 'roll-back' ? 'worse' : 'judged',
    reasons: ['numbers'],
    evidence: 1,
    threshold: 20,
    metrics: [],
    instances: { canary: 20, baseline: 380 },
    onInstanceHours: 1,
    look: { at: 1, telemetrySequence: 1, analysisDigest: '0'.repeat(64) },
    why: 'look',
  },
});
/** Events of a story get ids 900000 + position. */
const verdictId = (position: number) => idOf(900_000 + position);
const act = (type: 'promote-rollout' | 'roll-back-rollout' | 'stop-rollout', position: number): Command => ({
  type,
  project: 'web',
  rolloutId: ROLLOUT,
  verdictId: verdictId(position),
  why: 'verdict',
});
const kill: Command = { type: 'kill-flag', project: 'web', flagId: idOf(3), why: 'fire' };
const baking = [...start, request, plan, begin];

describe('a rollout', () => {
  it('begins with a pre-period in which its flag asks for reports and serves nobody', () => {
    const document = compileDocument('web', stateAfter(...start, request).flags.get(idOf(3))!)!;
    expect(document.rollout).toMatchObject({ id: ROLLOUT, weightPpm: 0, reportEveryMs: 360_000 });
  });
  it('is planned, then enters the first step of its ladder', () => {
    given(...start, request, plan)
      .when(begin)
      .thenDecides({
        type: 'rollout-step-entered.v1',
        data: { step: 0, weightPpm: 50_000, why: 'pre-period over' },
      });
    const document = compileDocument('web', stateAfter(...baking).flags.get(idOf(3))!)!;
    expect(document.rollout).toMatchObject({ weightPpm: 50_000, reportEveryMs: 2_000 });
    expect(document.targeting).toEqual({
      fractional: [{ cat: ['s1', { var: 'targetingKey' }] }, ['on', 50_000], ['off', 950_000]],
    });
  });
  it('does not begin twice', () =>
    given(...baking)
      .when(begin)
      .thenRefused('rollout-not-there-yet'));
  it('has one plan', () =>
    given(...start, request, plan)
      .when(plan)
      .thenRefused('rollout-not-there-yet'));
  it('is promoted by the standing verdict of its step, once', () => {
    const judged = [...baking, verdict(0, 'promote')];
    given(...judged)
      .when(act('promote-rollout', 7))
      .thenDecides({
        type: 'rollout-step-entered.v1',
        data: { step: 1, weightPpm: 500_000, verdictId: verdictId(7), why: 'verdict' },
      });
    given(...judged, act('promote-rollout', 7))
      .when(act('promote-rollout', 7))
      .thenRefused('verdict-does-not-allow');
  });
  it.each(['wait', 'extend', 'hold', 'roll-back', 'stop'] as const)('is not promoted past "%s"', (decision) =>
    given(...baking, verdict(0, decision))
      .when(act('promote-rollout', 7))
      .thenRefused('verdict-does-not-allow'),
  );
  it('is not promoted without a verdict', () =>
    given(...baking)
      .when(act('promote-rollout', 7))
      .thenRefused('verdict-does-not-allow'));
  it('takes no second word after a final verdict', () =>
    given(...baking, verdict(0, 'promote'))
      .when(verdict(0, 'roll-back'))
      .thenRefused('verdict-does-not-allow'));
  it('takes a final verdict after holding', () =>
    given(...baking, verdict(0, 'hold'), verdict(0, 'promote'))
      .when(act('promote-rollout', 8))
      .thenDecides({
        type: 'rollout-step-entered.v1',
        data: { step: 1, weightPpm: 500_000, verdictId: verdictId(8), why: 'verdict' },
      }));
  it('refuses a verdict on another step', () =>
    given(...baking)
      .when(verdict(1, 'promote'))
      .thenRefused('rollout-not-there-yet'));
  it('completes after its last step and leaves the variant as the default', () => {
    const last = [...baking, verdict(0, 'promote'), act('promote-rollout', 7), verdict(1, 'promote')];
    given(...last)
      .when(act('promote-rollout', 9))
      .thenDecides({ type: 'rollout-completed.v1', data: { verdictId: verdictId(9), why: 'verdict' } });
    const flag = stateAfter(...last, act('promote-rollout', 9)).flags.get(idOf(3))!;
    expect(compileDocument('web', flag)).toMatchObject({ defaultVariant: 'on' });
    expect(compileDocument('web', flag)).not.toHaveProperty('rollout');
  });
  it('rolls back to its former state', () => {
    const bad = [...baking, verdict(0, 'roll-back')];
    given(...bad)
      .when(act('roll-back-rollout', 7))
      .thenDecides({
        type: 'rollout-rolled-back.v1',
        data: { step: 0, weightPpm: 50_000, verdictId: verdictId(7), code: 'worse', why: 'verdict' },
      });
    const document = compileDocument(
      'web',
      stateAfter(...bad, act('roll-back-rollout', 7)).flags.get(idOf(3))!,
    )!;
    expect(document).toMatchObject({ defaultVariant: 'off' });
    expect(document).not.toHaveProperty('rollout');
    expect(document).not.toHaveProperty('targeting');
  });
  it('stops where it is when the change must not be undone', () => {
    const document = compileDocument(
      'web',
      stateAfter(...baking, verdict(0, 'stop'), act('stop-rollout', 7)).flags.get(idOf(3))!,
    )!;
    expect(document.rollout).toEqual({ id: ROLLOUT, seed: 's1', variant: 'on', weightPpm: 50_000 });
  });
  it('is not promoted once its flag is killed: kill beats promote', () => {
    given(...baking, verdict(0, 'promote'), kill)
      .when(act('promote-rollout', 7))
      .thenRefused('flag-killed');
  });
  it('takes nothing once it ended', () => {
    const abort: Command = {
      type: 'abort-rollout',
      project: 'web',
      rolloutId: ROLLOUT,
      because: 'person',
      why: 'enough',
    };
    given(...baking, abort)
      .when(abort)
      .thenRefused('rollout-ended');
  });
  it('is one at a time for a flag', () =>
    given(...start, request)
      .when({ ...request, rolloutId: idOf(5) })
      .thenRefused('flag-in-rollout'));
  it('moves to a variant that exists and is not the default', () => {
    given(...start)
      .when({ ...request, variant: 'purple' })
      .thenRefused('flag-invalid');
    given(...start)
      .when({ ...request, variant: 'off' })
      .thenRefused('flag-invalid');
  });
  it('climbs a rising ladder', () =>
    given(...start)
      .when({ ...request, policy: { ...request.policy, ladderPpm: [500_000, 50_000] } })
      .thenRefused('policy-invalid'));
  it('is not killed, not in a rollout and not archived when it begins', () =>
    given(...start, kill)
      .when(request)
      .thenRefused('flag-killed'));
  it('in advisory mode is judged and never moved', () => {
    const advisory = { ...request, policy: { ...request.policy, mode: 'advisory' as const } };
    const state = stateAfter(...start, advisory, plan, begin, verdict(0, 'roll-back'));
    expect(nextRolloutCommand('web', state.rollouts.get(ROLLOUT)!, state.flags.get(idOf(3)))).toBeNull();
    given(...start, advisory, plan, begin, verdict(0, 'roll-back'))
      .when(act('roll-back-rollout', 7))
      .thenRefused('verdict-does-not-allow');
  });
});

describe('whatever order commands arrive in', () => {
  const word = fc.constantFrom(
    'plan',
    'begin',
    'wait',
    'hold',
    'promote',
    'roll-back',
    'react',
    'react-late',
    'kill',
    'lift',
    'abort' as const,
  );

  it('each step is entered at most once, only after its verdict, never while killed, and weights only rise', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), (words) => {
        const state = stateAfter(...start, request);
        const told: { type: string; killed: boolean; step?: number; verdictId?: string | undefined }[] = [];
        let late: Command | null = null;
        for (const w of words) {
          const rollout = state.rollouts.get(ROLLOUT)!;
          const step = rollout.status === 'baking' ? rollout.step : 0;
          const next = nextRolloutCommand('web', rollout, state.flags.get(idOf(3)));
          const command: Command | null =
            w === 'plan'
              ? plan
              : w === 'begin'
                ? begin
                : w === 'kill'
                  ? kill
                  : w === 'lift'
                    ? { ...kill, type: 'lift-kill' }
                    : w === 'abort'
                      ? {
                          type: 'abort-rollout',
                          project: 'web',
                          rolloutId: ROLLOUT,
                          because: 'person',
                          why: 'no',
                        }
                      : w === 'react'
                        ? next
                        : w === 'react-late'
                          ? late
                          : verdict(step, w);
          late = next;
          if (command) tell(state, command, told);
        }
        const entered = told.filter((event) => event.type === 'rollout-step-entered.v1');
        expect(entered.map((event) => event.step)).toEqual(entered.map((_, index) => index));
        expect(entered.every((event) => !event.killed)).toBe(true);
        expect(entered.slice(1).every((event) => event.verdictId !== undefined)).toBe(true);
      }),
    );
  });
});

const tell = (
  state: ProjectState,
  command: Command,
  told: { type: string; killed: boolean; step?: number; verdictId?: string | undefined }[],
): void => {
  const position = state.head!.position + 1;
  const at = 1_780_000_000_000 + position;
  try {
    const fact = decide(state, command, at);
    const killed = state.flags.get(idOf(3))!.status === 'killed';
    const { kind, aggregateId } = aggregateOf(command);
    applyEvent(state, eventOf('web', position, at, aggregateId, kind, fact));
    told.push(
      fact.type === 'rollout-step-entered.v1'
        ? { type: fact.type, killed, step: fact.data.step, verdictId: fact.data.verdictId }
        : { type: fact.type, killed },
    );
  } catch (error) {
    if (!(error instanceof CommandRefused)) throw error;
  }
};

describe('a signal raised by hand', () => {
  const raise = (name: string, signal: 'objection' | 'local-rollback' = 'objection'): Command => ({
    type: 'raise-signal',
    project: 'web',
    rolloutId: ROLLOUT,
    signal,
    source: { kind: 'site', name },
    why: 'the till stays shut',
  });

  it('is kept with the weight at which it was raised, in the order of the log', () => {
    const state = stateAfter(
      ...start,
      request,
      raise('lab'),
      plan,
      begin,
      raise('harbour', 'local-rollback'),
    );
    const { signals } = state.rollouts.get(ROLLOUT)!;
    expect(signals.map(({ signal, source, weightPpm }) => [signal, source.name, weightPpm])).toEqual([
      ['objection', 'lab', 0],
      ['local-rollback', 'harbour', 50_000],
    ]);
  });

  it('moves nothing by itself: not the flag, not the rollout, not the reactor', () => {
    const before = stateAfter(...start, request, plan, begin);
    const after = stateAfter(...start, request, plan, begin, raise('lab'));
    expect(after.flags.get(idOf(3))).toEqual(before.flags.get(idOf(3)));
    const rollout = after.rollouts.get(ROLLOUT)!;
    expect(rollout).toMatchObject({ status: 'baking', step: 0, weightPpm: 50_000 });
    expect(nextRolloutCommand('web', rollout, after.flags.get(idOf(3)))).toBeNull();
  });

  it('is one however often its source repeats it, and another from another source or of another kind', () => {
    const raised = [...start, request, raise('lab')];
    given(...raised)
      .when(raise('lab'))
      .thenRefused('already-exists');
    expect(
      stateAfter(...raised, raise('harbour'), raise('lab', 'local-rollback')).rollouts.get(ROLLOUT)!.signals,
    ).toHaveLength(3);
  });

  it('comes too late when the rollout has ended', () => {
    const abort: Command = {
      type: 'abort-rollout',
      project: 'web',
      rolloutId: ROLLOUT,
      because: 'person',
      why: 'x',
    };
    given(...start, request, abort)
      .when(raise('lab'))
      .thenRefused('rollout-ended');
  });
});
