import type { FlagDefinition, FlagHealthView, FlagType } from '@headgate/contracts';

/** What is known of a flag's evaluations, over all instances that report. */
export interface FlagUsage {
  readonly lastEvaluatedAt: number | null;
  /** Counting since then; before it nothing is known. */
  readonly knownSince: number;
  readonly variants: readonly {
    /** Null: the default in the code. */
    readonly variant: string | null;
    readonly lastServedAt: number;
    readonly count: number;
  }[];
}

export interface HealthSubject {
  readonly status: 'active' | 'killed' | 'archived';
  readonly definition: Pick<FlagDefinition, 'type' | 'expires'>;
  readonly createdAt: number;
  readonly changedAt: number;
  /** In a rollout that nobody has ended. */
  readonly rolloutId: string | null;
}

const DAY_MS = 86_400_000;
/** How long a flag of a kind is expected to live, as Unleash has it; the others stay. */
const LIFETIME_DAYS: { readonly [type in FlagType]?: number } = {
  release: 40,
  experiment: 40,
  operational: 7,
};
const UNUSED_DAYS = 30;
const SETTLED_DAYS = 14;

/**
 * Whether a flag is still needed, with each reason as a sentence. Stale: past its expiry, or evaluated by nobody for 30 days.
 * Potentially stale: older than its type lives as a rule, or one variant served to everybody for 14 days. Kill switches and
 * permissions stay, however quiet they are. Without usage only the calendar speaks.
 */
export const flagHealth = (flag: HealthSubject, usage: FlagUsage | null, now: number): FlagHealthView => {
  const { type, expires } = flag.definition;
  const isExpired = expires !== undefined && expires <= now;
  if (flag.status === 'archived') return { stage: 'archived', isExpired, reasons: [] };
  const stays = type === 'kill-switch' || type === 'permission';
  const stale = [
    ...(isExpired ? [`was to be gone by ${day(expires)}`] : []),
    ...(stays ? [] : unusedReason(flag, usage, now)),
  ];
  const perhaps = [...ageReason(flag, now), ...(stays ? [] : settledReason(flag, usage, now))];
  const stage = stale.length > 0 ? 'stale' : perhaps.length > 0 ? 'potentially-stale' : 'active';
  return { stage, isExpired, reasons: [...stale, ...perhaps] };
};

const ageReason = ({ definition: { type }, createdAt }: HealthSubject, now: number): readonly string[] => {
  const lifetime = type && LIFETIME_DAYS[type];
  const age = Math.floor((now - createdAt) / DAY_MS);
  if (!lifetime || age < lifetime) return [];
  return [`is ${age} days old; flags of type ${type} live ${lifetime} days as a rule`];
};

const unusedReason = (flag: HealthSubject, usage: FlagUsage | null, now: number): readonly string[] => {
  if (!usage) return [];
  const since = usage.lastEvaluatedAt ?? Math.max(flag.createdAt, usage.knownSince);
  const quiet = Math.floor((now - since) / DAY_MS);
  if (quiet < UNUSED_DAYS) return [];
  const never = usage.lastEvaluatedAt === null;
  return [never ? `nobody has evaluated it in ${quiet} days` : `nobody has evaluated it since ${day(since)}`];
};

/** Quiet for its own sake: a rollout's pre-period serves everybody one variant, and a kill the default in the code. */
const settledReason = (flag: HealthSubject, usage: FlagUsage | null, now: number): readonly string[] => {
  if (!usage || flag.rolloutId !== null || flag.status === 'killed') return [];
  const since = Math.max(flag.changedAt, usage.knownSince);
  const cut = Math.max(since, now - SETTLED_DAYS * DAY_MS);
  const recent = usage.variants.filter(({ lastServedAt }) => lastServedAt >= cut);
  const [only] = recent;
  if (now - since < SETTLED_DAYS * DAY_MS || recent.length !== 1 || !only) return [];
  const name = only.variant === null ? 'the default in the code' : `"${only.variant}"`;
  return [`has served ${name} to everybody for ${SETTLED_DAYS} days or more`];
};

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
