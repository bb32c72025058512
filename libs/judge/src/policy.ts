/** An absolute ceiling, broken when the canary's metric lies above `max` for two looks while the baseline's does not. */
export interface HardLimit {
  readonly metric: string;
  readonly max: number;
}

/** Frozen when a rollout starts. All times in milliseconds of the clock that the caller hands in. */
export interface JudgePolicy {
  /** `advisory` judges and says what it would do; the caller then does not act. */
  readonly mode: 'active' | 'advisory';
  /** Bound on the chance that a harmless rollout is ever rolled back by evidence, over all metrics, steps and looks. */
  readonly alpha: number;
  /** Bound, per critical metric, on the chance that a canary at its safe margin is called proven. */
  readonly alphaSafe: number;
  /** Planned chance that a harmless rollout stays unproven where proof is due. */
  readonly beta: number;
  /** Prior scale of a relative effect per kind: about the smallest regression worth catching. */
  readonly tau: { readonly ratio: number; readonly gauge: number };
  /** Instances an arm needs before the large-sample engine is used. */
  readonly minInstances: number;
  /** Events expected in the canary before the large-sample engine is used. */
  readonly minEvents: number;
  readonly bakeMs: number;
  readonly maxBakeMs: number;
  readonly warmUpMs: number;
  readonly holdMaxMs: number;
  /** A step without enough reports lasts this long; the first such step lasts `firstSparseTimeMs`. */
  readonly sparseTimeMs: number;
  readonly firstSparseTimeMs: number;
  /** How likely one failure becomes known while a sparse step lasts; only said, never judged by. `defaultSignalProbability` if absent. */
  readonly signalProbability?: number;
  /** How often an instance reports while its rollout bakes. */
  readonly reportMs: number;
  /** Silence after which an instance counts as lost. */
  readonly lostAfterMs: number;
  /** Its first half is the covariate, its second half the outcome from which the plan is made. */
  readonly prePeriodMs: number;
  /** The change must not be undone (a migration): evidence against it stops the rollout at the weight it has. */
  readonly irreversible: boolean;
  readonly onUnproven: 'roll-back' | 'promote';
  readonly hardLimits: readonly HardLimit[];
  /** Averaged e-value from which evidence is said to lean, and the bake is extended. */
  readonly leanThreshold: number;
  /** E-value of the sample-ratio test at which the split is called broken. */
  readonly srmThreshold: number;
  /** `average`: the weighted mean of all evidence decides; `strict`: any single one must pass its own, higher bar. */
  readonly rollbackRule: 'average' | 'strict';
  /** Weights in ppm instead of the ladder that the plan would choose; ascending, the last one is the final step. */
  readonly ladderPpm?: readonly number[];
}

const hour = 3_600_000;

/** What a policy file may say; everything it leaves out follows from the fleet's size and the bake time. */
export type DeclaredPolicy = Partial<JudgePolicy>;

/**
 * The default policy for a fleet of this size. `timeScale` multiplies every time constant and nothing else
 * (a demo passes 1/360 to bake for ten seconds), so evidence means the same at any speed.
 */
export function defaultPolicy(fleetSize: number, timeScale = 1): JudgePolicy {
  return completePolicy({}, fleetSize, timeScale);
}

/** Fills in what `declared` leaves out. Declared times are taken as they are; `timeScale` applies to defaults only. */
export function completePolicy(declared: DeclaredPolicy, fleetSize: number, timeScale = 1): JudgePolicy {
  const bakeMs = declared.bakeMs ?? defaultBakeHours(fleetSize) * hour * timeScale;
  const defaults: JudgePolicy = {
    mode: 'active',
    alpha: 0.05,
    alphaSafe: 0.05,
    beta: 0.02,
    tau: { ratio: 0.3, gauge: 0.1 },
    minInstances: 20,
    minEvents: 5,
    bakeMs,
    maxBakeMs: 2 * bakeMs,
    warmUpMs: bakeMs / 5,
    holdMaxMs: 2 * bakeMs,
    sparseTimeMs: 24 * hour * timeScale,
    firstSparseTimeMs: 72 * hour * timeScale,
    reportMs: bakeMs / 10,
    lostAfterMs: (3 * bakeMs) / 10,
    prePeriodMs: 2 * bakeMs,
    irreversible: false,
    onUnproven: 'roll-back',
    hardLimits: [],
    leanThreshold: 3,
    srmThreshold: 1000,
    rollbackRule: 'average',
  };
  return { ...defaults, ...declaredOnly(declared) };
}

/** Without the keys whose value is undefined: a parsed policy file may carry them, and they must not erase a default. */
function declaredOnly(declared: DeclaredPolicy): DeclaredPolicy {
  return Object.fromEntries(Object.entries(declared).filter(([, value]) => value !== undefined));
}

/** Small fleets bake longer: their power comes from time spent, as the number of instances is what it is. */
function defaultBakeHours(fleetSize: number): number {
  if (fleetSize < 50) return 24;
  if (fleetSize < 200) return 8;
  return 1;
}
