import { createHash } from 'node:crypto';
import type { Rollout } from '@headgate/domain';
import { deriveCommandId, type EventStore } from '@headgate/event-store';
import { insist, type WriterOptions } from './writers.js';

const LADDER = [10_000, 50_000, 100_000, 250_000, 500_000, 750_000, 900_000, 1_000_000] as const;
const PROJECT = 'climb';

export interface JudgedRollout {
  readonly store: EventStore;
  readonly door: Pick<WriterOptions, 'url' | 'token' | 'deadline'>;
  /** Resolves when the step's verdict is due. */
  readonly due: (step: number) => Promise<void>;
}

/**
 * Stands in for analysis, which would need a fleet: gives each step its verdict while services die, and leaves every move to the
 * reactor that is killed. Returns the weights of the steps as the log has them, and how the rollout ended.
 */
export const climb = async ({ store, door, due }: JudgedRollout) => {
  await insist('/v1/projects', { slug: PROJECT, why: 'chaos' }, door);
  await insist(`/v1/projects/${PROJECT}/channels`, { slug: 'stable', why: 'chaos' }, door);
  const definition = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
  await insist(
    `/v1/projects/${PROJECT}/channels/stable/flags`,
    { key: 'climbing', definition, why: 'chaos' },
    door,
  );
  await insist(
    `/v1/projects/${PROJECT}/rollouts`,
    { channel: 'stable', flag: 'climbing', variant: 'on', why: 'chaos' },
    door,
  );
  let rollout = await newest(store, door);
  while (rollout.status === 'pre-period' || rollout.status === 'planned' || rollout.status === 'baking') {
    await judge(rollout, store, due).catch((cause) => {
      if (door.deadline()) throw cause;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (door.deadline()) throw new Error(`the rollout is still ${rollout.status}`);
    rollout = await newest(store, door);
  }
  const weights: number[] = [];
  for await (const { event } of store.read({ project: PROJECT }))
    if (event.type === 'rollout-step-entered.v1') weights.push(event.data.weightPpm);
  return { status: rollout.status, weights, ladder: [...LADDER] };
};

const newest = async (store: EventStore, door: JudgedRollout['door']): Promise<Rollout> => {
  for (;;) {
    try {
      const rollout = [...(await store.project(PROJECT)).state.rollouts.values()].at(-1);
      if (rollout) return rollout;
    } catch (cause) {
      if (door.deadline()) throw cause;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

const judge = async (rollout: Rollout, store: EventStore, due: JudgedRollout['due']): Promise<void> => {
  const of = { project: PROJECT, rolloutId: rollout.id } as const;
  const planDigest = createHash('sha256').update('chaos').digest('hex');
  if (rollout.status === 'pre-period') {
    const planned = { ladderPpm: [...LADDER], bakeMs: 1_000, plan: {}, planDigest, why: 'chaos' };
    await store.handle({ type: 'record-plan', ...of, planned }, meta(rollout.id, 'plan'));
  }
  if (rollout.status !== 'baking' || rollout.verdict) return;
  await due(rollout.step);
  const verdict = {
    step: rollout.step,
    decision: 'promote' as const,
    code: 'judged',
    reasons: ['chaos'],
    evidence: 1,
    threshold: 20,
    metrics: [],
    instances: { canary: 20, baseline: 20 },
    onInstanceHours: 1,
    look: { at: Date.now(), telemetrySequence: 0, analysisDigest: planDigest },
    why: 'chaos',
  };
  await store.handle({ type: 'give-verdict', ...of, verdict }, meta(rollout.id, `verdict ${rollout.step}`));
};

const meta = (rolloutId: string, what: string) => ({
  commandId: deriveCommandId('chaos', rolloutId, what),
  actor: 'chaos',
});
