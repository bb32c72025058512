export { eBenjaminiHochberg } from './e-bh.js';
export { lnSampleRatio } from './engine/sample-ratio.js';
export { earliestPromotionMs, type JudgeInput, judge } from './look/judge.js';
export type { Decision, History, Look, LookCode, MetricLook, StepRecord } from './look/look.js';
export { emptyHistory } from './look/look.js';
export { OWN_SITE, type Signal, type SignalKind, type SignalSource } from './look/signal.js';
export { defaultSignalProbability } from './look/silence.js';
export type {
  Arm,
  GaugeMetric,
  MetricDefinition,
  RareEventMetric,
  RatioMetric,
  Tier,
  Worse,
} from './metric.js';
export { HEARTBEAT_LOST, heartbeatLost } from './metric.js';
export { explainPlan } from './plan/explain-plan.js';
export { type PlanInput, planRollout } from './plan/plan-rollout.js';
export type { Engine, PlannedMetric, PlannedStep, RolloutPlan } from './plan/rollout-plan.js';
export type { DeclaredPolicy, HardLimit, JudgePolicy } from './policy.js';
export { completePolicy, defaultPolicy } from './policy.js';
export { beginPeriod, beginWatch, prePeriodLengths, preRowOf, stepLengths } from './row/begin.js';
export { foldReport } from './row/fold-report.js';
export type { InstanceRow, JudgedReport, Mark, Period, Totals, Watch } from './row/instance-row.js';
export { openRow } from './row/instance-row.js';
export type { PreRow } from './row/pre-row.js';
export type {
  GaugeColumns,
  MetricColumns,
  RareEventColumns,
  RatioColumns,
  RatioSums,
  StepTable,
} from './row/step-table.js';
export { type Tabulation, tabulate } from './row/tabulate.js';
