import type { JsonValue, Serve } from '@headgate/contracts';
import { compileFlag, type EvaluationContext, explainFlag } from '@headgate/evaluation';
import { compileServe } from './compile-serve.js';
import { compileTargeting, hasRules, splitOf } from './compile-targeting.js';
import { settleRule } from './settle-rule.js';
import type { CompilableFlag, Surroundings } from './surroundings.js';

/** One place of a definition, and what it made of the context. */
export interface TraceStep {
  /** Dotted, into the definition; `rollout` for the rollout under way. */
  readonly path: string;
  readonly outcome: 'met' | 'not-met' | 'passed-on' | 'served';
  readonly message: string;
  /** Only where something was served; null: the default in the code. */
  readonly variant?: string | null;
}

export interface Question {
  readonly context: EvaluationContext;
  readonly now: () => number;
}

/**
 * How a flag comes to what it serves a context, in the words of its definition; the last step is the one that served. Every part
 * is evaluated as it was compiled, so that the trace cannot tell another story than the document.
 */
export const explainDefinition = (
  flag: CompilableFlag,
  around: Surroundings,
  question: Question,
): readonly TraceStep[] => {
  const trace: TraceStep[] = [];
  for (const step of stepsOf(flag, around, question)) {
    trace.push(step);
    if (step.outcome === 'served') break;
  }
  return trace;
};

function* stepsOf(flag: CompilableFlag, around: Surroundings, question: Question): Generator<TraceStep> {
  const { definition, split } = flag;
  const byDefault = definition.defaultVariant ?? null;
  const ask = (expression: JsonValue): string | null => answerOf(flag, expression, question);
  if (flag.status !== 'active') yield served('', null, `the flag is ${flag.status}`);
  if (definition.state === 'DISABLED') yield served('state', null, 'the flag is disabled');
  for (const [i, { flag: key, variants, otherwise = null }] of (definition.prerequisites ?? []).entries()) {
    const path = `prerequisites.${i}`;
    const given = servedBy(around.flag(key), around, question);
    const isMet = given !== null && variants.includes(given);
    const message = `flag "${key}" serves ${named(given)}; wanted is ${variants.map(named).join(' or ')}`;
    yield { path, outcome: isMet ? 'met' : 'not-met', message };
    if (!isMet) yield served(`${path}.otherwise`, otherwise);
  }
  for (const [i, { name, when, serve }] of (definition.rules ?? []).entries()) {
    const path = `rules.${i}`;
    const isMet = ask({ if: [settleRule(when, around.segment, null), MET, null] }) === MET;
    yield { path: `${path}.when`, outcome: isMet ? 'met' : 'not-met', message: name ?? JSON.stringify(when) };
    if (isMet) yield* serving(flag, serve, `${path}.serve`, question);
  }
  if (hasRules(definition.targeting)) {
    const given = ask(settleRule(definition.targeting, around.segment, null));
    if (given === null) yield { path: 'targeting', outcome: 'not-met', message: 'has no answer' };
    else yield served('targeting', given);
  }
  if (split) {
    const shares = splitOf(split, byDefault);
    yield served('rollout', ask(shares), bucketIn(flag, shares, question));
  }
  const due = (definition.schedule ?? []).map(({ at, serve }, i) => ({ at, serve, path: `schedule.${i}` }));
  const nowMs = Math.floor(question.now() / 1_000) * 1_000;
  const newest = due.filter(({ at }) => at <= nowMs).sort((a, b) => b.at - a.at)[0];
  if (newest) {
    yield { path: newest.path, outcome: 'met', message: `since ${new Date(newest.at).toISOString()}` };
    yield* serving(flag, newest.serve, `${newest.path}.serve`, question);
  } else if (definition.fallthrough) yield* serving(flag, definition.fallthrough, 'fallthrough', question);
  yield served('defaultVariant', byDefault);
}

function* serving(
  flag: CompilableFlag,
  serve: Serve,
  path: string,
  question: Question,
): Generator<TraceStep> {
  const { key, definition } = flag;
  const { expression, needs } = compileServe(
    serve,
    definition.seed ?? key,
    definition.defaultVariant ?? null,
  );
  const hasBucket = needs === null || answerOf(flag, { if: [{ var: needs }, MET, null] }, question) === MET;
  if (hasBucket)
    yield served(path, answerOf(flag, expression, question), bucketIn(flag, expression, question));
  else yield { path, outcome: 'passed-on', message: `the context has no "${needs}" to find a bucket by` };
}

/** Where the context falls in a split; undefined for what is none. */
const bucketIn = (
  { key, definition: { variants } }: CompilableFlag,
  expression: JsonValue,
  { context, now }: Question,
): string | undefined => {
  if (typeof expression === 'string') return undefined;
  const flag = { key, state: 'ENABLED', variants, targeting: expression } as const;
  const split = explainFlag(flag, context, { now }).trace.find(({ bucket }) => bucket)?.bucket;
  return split && `bucket ${split.bucket} of ${split.total}`;
};

const MET = 'met';

const served = (path: string, variant: string | null, why?: string): TraceStep => ({
  path,
  outcome: 'served',
  message: why === undefined ? named(variant) : `${named(variant)}: ${why}`,
  variant,
});

const named = (variant: string | null): string =>
  variant === null ? 'the default in the code' : `"${variant}"`;

/** Any name that an expression gives counts as a variant here; whether the flag has it was checked at the door. */
const answerOf = ({ key, definition }: CompilableFlag, expression: JsonValue, question: Question) => {
  const targeting = typeof expression === 'string' ? { if: [true, expression] } : expression;
  const variants = { ...definition.variants, [MET]: true };
  const evaluate = compileFlag({ key, state: 'ENABLED', variants, targeting }, { now: question.now });
  return evaluate(question.context).variant ?? null;
};

const servedBy = (
  flag: CompilableFlag | undefined,
  around: Surroundings,
  question: Question,
): string | null => {
  if (flag?.status !== 'active') return null;
  const { state, variants } = flag.definition;
  const { targeting, defaultVariant } = compileTargeting(flag, around);
  const document = { key: flag.key, state, variants, defaultVariant, targeting };
  return compileFlag(document, { now: question.now })(question.context).variant ?? null;
};
