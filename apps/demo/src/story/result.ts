import type { RolloutView, VerdictView } from '@headgate/contracts';
import type { InstanceTally } from '../fleet/messages.js';
import type { KillResult } from './kill-act.js';

/** What `--json FILE` holds; every number was measured in this run. */
export interface DemoResult {
  readonly good: {
    readonly status: string;
    readonly steps: readonly {
      readonly weightPpm: number;
      readonly enteredAt: number;
      readonly verdict: string;
    }[];
  };
  readonly bad: {
    readonly status: string;
    readonly rolledBackAtPpm: number;
    readonly onInstanceHours: number;
  };
  readonly kill: KillResult;
  readonly vendor: { readonly instances: number; readonly sameHeadAs: string };
  readonly log: { readonly events: number; readonly verified: boolean };
}

interface Measured {
  readonly good: RolloutView;
  readonly bad: RolloutView;
  readonly kill: KillResult;
  readonly heads: { readonly upstream: string; readonly vendor: string };
  readonly log: { readonly ok: boolean; readonly events: number };
  readonly vendorInstances: readonly InstanceTally[];
}

export const resultOf = ({ good, bad, kill, heads, log, vendorInstances }: Measured): DemoResult => ({
  good: {
    status: good.status,
    steps: good.steps.map(({ step, weightPpm, enteredAt }) => ({
      weightPpm,
      enteredAt,
      verdict: describe(good.verdicts.findLast((verdict) => verdict.step === step)),
    })),
  },
  bad: {
    status: bad.status,
    rolledBackAtPpm: bad.weightPpm,
    onInstanceHours: bad.verdicts.at(-1)?.onInstanceHours ?? 0,
  },
  kill,
  vendor: { instances: vendorInstances.filter(({ isLive }) => isLive).length, sameHeadAs: heads.vendor },
  log: { events: log.events, verified: log.ok },
});

const describe = (verdict: VerdictView | undefined): string =>
  verdict ? `${verdict.decision} (${verdict.code})` : 'none';

/** What did not end as it should; empty is a success. */
export const judgeStory = (
  result: DemoResult,
  kill: KillResult,
  heads: { readonly upstream: string; readonly vendor: string },
  proposedPpm: readonly number[],
): readonly string[] => [
  ...(result.good.status === 'completed'
    ? []
    : [`the rollout announced as good ended ${result.good.status}`]),
  ...(result.bad.status === 'rolled-back' ? [] : [`the rollout announced as bad ended ${result.bad.status}`]),
  ...(result.good.status !== 'completed' || climbed(result) === proposedPpm.join(' ')
    ? []
    : [`the ladder climbed was ${climbed(result)}, the proposed one ${proposedPpm.join(' ')}`]),
  ...(kill.switched.instances === kill.instances
    ? []
    : [`the kill reached ${kill.switched.instances} of ${kill.instances} instances`]),
  ...(heads.vendor === heads.upstream
    ? []
    : [`the vendor's head ${heads.vendor} is not the upstream's ${heads.upstream}`]),
  ...(result.log.verified ? [] : ['the log does not verify']),
];

const climbed = (result: DemoResult): string => result.good.steps.map((step) => step.weightPpm).join(' ');
