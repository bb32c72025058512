export type { Channel } from './channel/channel.js';
export { CommandRefused } from './command-refused.js';
export { aggregateOf, type Command, commandFingerprint } from './commands.js';
export { decide } from './decide.js';
export { checkDefinition } from './flag/check-definition.js';
export { compileDocument } from './flag/compile-document.js';
export { type CompiledTargeting, compileTargeting } from './flag/compile-targeting.js';
export { explainDefinition, type TraceStep } from './flag/explain-definition.js';
export type { Flag, Split } from './flag/flag.js';
export { type FlagUsage, flagHealth, type HealthSubject } from './flag/flag-health.js';
export { describeProblem, type Problem } from './flag/problem.js';
export { ALONE, type CompilableFlag, type Surroundings } from './flag/surroundings.js';
export { prerequisitesOf, segmentsOf } from './flag/uses.js';
export { checkPattern } from './pattern/check-pattern.js';
export type { Project } from './project/project.js';
export { parseProject, serializeProject } from './project-snapshot.js';
export {
  type AnsweredCommand,
  applyEvent,
  emptyProject,
  flagName,
  flagsMovedBy,
  type ProjectState,
  REPEAT_WINDOW_MS,
} from './project-state.js';
export { isFinal } from './rollout/decide-rollout.js';
export { nextRolloutCommand } from './rollout/next-rollout-command.js';
export {
  type EnteredStep,
  isRunning,
  type Plan,
  type RaisedSignal,
  type Rollout,
  type RunningRollout,
  type Verdict,
} from './rollout/rollout.js';
export { checkSegment } from './segment/check-segment.js';
export type { Segment } from './segment/segment.js';
export { surroundingsOf } from './surroundings-of.js';
export type { Token } from './token/token.js';
export { viewChannel, viewFlag, viewProject, viewRollout, viewSegment, viewToken } from './views.js';
