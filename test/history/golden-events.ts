import type { AggregateKind, EventData, EventType } from '@headgate/contracts';

export interface GoldenFact<T extends EventType> {
  readonly project: string;
  readonly kind: AggregateKind;
  readonly aggregateId: string;
  readonly data: EventData<T>;
}

const WHY = 'recorded for history';
const id = (n: number): string => `01890000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const flag = { project: 'shop', kind: 'flag', aggregateId: id(3) } as const;
const otherFlag = { project: 'shop', kind: 'flag', aggregateId: id(4) } as const;
const segment = { project: 'shop', kind: 'segment', aggregateId: id(8) } as const;
const rollout = { project: 'shop', kind: 'rollout', aggregateId: id(5) } as const;
const token = { project: '_system', kind: 'token', aggregateId: id(6) } as const;

const definition = {
  state: 'ENABLED' as const,
  variants: { on: true, off: false },
  defaultVariant: 'off',
  targeting: { if: [{ '==': [{ var: 'os' }, 'linux'] }, 'on', null] },
  overridable: 'site' as const,
  expires: 1_900_000_000_000,
  owner: 'team-checkout',
};

/**
 * One fact of every type, in an order in which they may have happened. An event added to the contracts stops this from compiling
 * until it has its own; `node test/dist/history/record-history.js` then records it behind the others.
 */
export const GOLDEN_FACTS: { readonly [T in EventType]: GoldenFact<T> } = {
  'project-created.v1': {
    project: 'shop',
    kind: 'project',
    aggregateId: id(1),
    data: { slug: 'shop', name: 'The Shop', why: WHY },
  },
  'channel-created.v1': {
    project: 'shop',
    kind: 'channel',
    aggregateId: id(2),
    data: { slug: 'stable', beatLifetimeMs: 86_400_000, why: WHY },
  },
  'flag-created.v1': { ...flag, data: { channel: 'stable', key: 'checkout.v2', definition, why: WHY } },
  'flag-changed.v1': { ...flag, data: { definition: { ...definition, defaultVariant: 'on' }, why: WHY } },
  'flag-killed.v1': { ...flag, data: { why: 'it burns' } },
  'flag-kill-lifted.v1': { ...flag, data: { why: 'mended' } },
  'flag-archived.v1': { ...flag, data: { why: WHY } },
  'flag-restored.v1': {
    ...otherFlag,
    data: {
      channel: 'stable',
      key: 'search',
      definition,
      killed: { at: 1_790_000_000_000, why: 'it burnt' },
      from: { epoch: 1, position: 9 },
      why: WHY,
    },
  },
  'rollout-requested.v1': {
    ...rollout,
    data: {
      channel: 'stable',
      flagId: id(4),
      variant: 'on',
      seed: 'seed-1',
      policy: {
        mode: 'active',
        alpha: 0.05,
        beta: 0.02,
        rollbackRule: 'average',
        bakeMs: 60_000,
        onUnproven: 'roll-back',
        irreversible: false,
        hardLimits: [{ metric: 'errors', max: 0.2 }],
      },
      metrics: [
        {
          kind: 'ratio',
          name: 'errors',
          tier: 'critical',
          margin: 0.05,
          numerator: 'failed',
          denominator: 'requests',
          worse: 'up',
          absoluteMargin: 0.002,
        },
        { kind: 'gauge', name: 'latency', tier: 'other', margin: 0, gauge: 'p50_ms', worse: 'up' },
        { kind: 'rare-event', name: 'crashes', tier: 'other', margin: 0, event: 'crash' },
      ],
      why: WHY,
    },
  },
  'rollout-planned.v1': {
    ...rollout,
    data: {
      ladderPpm: [10_000, 250_000, 1_000_000],
      bakeMs: 60_000,
      plan: { engines: ['N', 'B'], note: 'opaque to everybody but the judge' },
      planDigest: 'a'.repeat(64),
      why: WHY,
    },
  },
  'rollout-step-entered.v1': { ...rollout, data: { step: 0, weightPpm: 10_000, why: WHY } },
  'rollout-verdict-given.v1': {
    ...rollout,
    data: {
      step: 0,
      decision: 'promote',
      code: 'judged',
      reasons: ['no metric is worse'],
      evidence: 0.25,
      threshold: 20,
      metrics: [{ name: 'errors', e: 0.25 }],
      instances: { canary: 12, baseline: 388 },
      onInstanceHours: 1.5,
      look: { at: 1_790_000_000_000, telemetrySequence: 41, analysisDigest: 'b'.repeat(64) },
      why: WHY,
    },
  },
  'rollout-signal-raised.v1': {
    ...rollout,
    data: {
      signal: 'objection',
      source: { kind: 'vendor', name: 'acme' },
      weightPpm: 10_000,
      why: 'the till stays shut',
    },
  },
  'rollout-completed.v1': { ...rollout, data: { verdictId: id(7), why: WHY } },
  'rollout-rolled-back.v1': {
    ...rollout,
    data: { step: 0, weightPpm: 10_000, verdictId: id(7), code: 'worse', why: WHY },
  },
  'rollout-stopped.v1': { ...rollout, data: { verdictId: id(7), weightPpm: 10_000, why: WHY } },
  'rollout-aborted.v1': { ...rollout, data: { weightPpm: 10_000, because: 'person', why: WHY } },
  'segment-created.v1': {
    ...segment,
    data: {
      channel: 'stable',
      name: 'insiders',
      definition: { when: { ends_with: [{ var: 'email' }, '@example.com'] }, description: 'our own people' },
      why: WHY,
    },
  },
  'segment-changed.v1': {
    ...segment,
    data: { definition: { when: { in: [{ var: 'team' }, ['a', 'b']] } }, why: WHY },
  },
  'segment-removed.v1': { ...segment, data: { why: WHY } },
  'token-created.v1': {
    ...token,
    data: { name: 'ci', role: 'releaser', project: 'shop', secretHash: 'c'.repeat(64), why: WHY },
  },
  'token-revoked.v1': { ...token, data: { why: WHY } },
};
