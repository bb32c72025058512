import { isDeepStrictEqual } from 'node:util';
import { compileFlag, type EvaluableFlag, type Evaluation, explainFlag } from '@headgate/evaluation';
import { FlagdCore, MemoryStorage } from '@openfeature/flagd-core';
import { type Details, resolveFlag } from '../provider.js';
import { replaceReferences } from '../references.js';
import type { DifferentialCase, FlagType } from './generate-case.js';

/** Where flagd-core is plainly wrong, and we are not the same on purpose; only the last is generated. */
export const EXCLUSIONS = {
  'bucketing by text beyond ASCII':
    'flagd buckets by the UTF-8 bytes of the key (its Go and Java evaluators do); flagd-core for JavaScript hashes UTF-16 units',
  'flagd operators inside an iterator': 'flagd-core looks for its logger in the element in scope, and throws',
  'and, or, all, missing and missing_some as operands of cat, in, map, filter, some, none and reduce':
    'json-logic-engine writes them down without parentheses, so that JavaScript groups them wrongly',
  'a first value of reduce that reads the context':
    'json-logic-engine takes the reduce of a written list for constant, and works it out without the context',
  'texts such as $& in a shared evaluator':
    'flagd-core puts evaluators in by String.replaceAll, which reads $&, $$ and the like as its own signs',
  'names that objects inherit, and ../':
    'a rule must not reach constructors and prototypes, nor leave its scope',
  'PARSE_ERROR or GENERAL for a part of an iterator that fails whatever the context':
    'when flagd-core finds it out depends on what else its optimizer takes for constant; the caller has its default either way',
} as const;

const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const FALLBACK: Readonly<Record<FlagType, unknown>> = {
  boolean: true,
  string: 'code',
  number: 42,
  object: { code: true },
};
const NOW = 1_800_000_000_000;

/** Null where both agree. */
export const compare = (
  sample: DifferentialCase,
): { readonly ours: Details; readonly theirs: Details } | null => {
  const ours = askOurs(sample);
  const theirs = askFlagd(sample);
  return isDeepStrictEqual(ours, theirs) || failAlike(sample, ours, theirs) ? null : { ours, theirs };
};

const ITERATORS = /"(map|filter|reduce|all|some|none)":/;

const failAlike = (sample: DifferentialCase, ours: Details, theirs: Details): boolean =>
  [ours, theirs].every(({ errorCode }) => errorCode === 'PARSE_ERROR' || errorCode === 'GENERAL') &&
  isDeepStrictEqual(ours.value, theirs.value) &&
  ITERATORS.test(JSON.stringify(sample.document));

const askOurs = (sample: DifferentialCase): Details => {
  const { type, context } = sample;
  return resolveFlag(flagOf(sample), { type, fallback: FALLBACK[type] }, context, () => NOW);
};

const flagOf = ({ document, key }: DifferentialCase): EvaluableFlag => {
  const flags = replaceReferences(
    document.flags,
    document.$evaluators,
  ) as DifferentialCase['document']['flags'];
  const flag = flags[key];
  if (!flag) throw new Error(`the document has no flag ${key}`);
  return { ...flag, key };
};

/** Whether an explanation, which works out operator by operator, comes to what `compileFlag` takes short cuts to. */
export const explainedAlike = (sample: DifferentialCase): boolean => {
  const flag = flagOf(sample);
  const evaluation = compileFlag(flag, { now: () => NOW })(sample.context);
  const { trace, evaluation: explained, isCut } = explainFlag(flag, sample.context, { now: () => NOW });
  return isDeepStrictEqual(explained, evaluation) && (isCut || tellsOutcome(trace, flag, evaluation));
};

const tellsOutcome = (
  trace: ReturnType<typeof explainFlag>['trace'],
  flag: EvaluableFlag,
  { variant, reason, errorCode }: Evaluation,
): boolean => {
  const last = trace.at(-1);
  if (last?.error !== undefined) return errorCode === 'GENERAL';
  // a rule without an operator, or one that nobody asked
  if (last?.path !== '') return trace.length === 0;
  const { value } = last;
  const serves = value !== null && value !== undefined;
  const named = serves ? String(value) : (flag.defaultVariant ?? undefined);
  if (errorCode !== undefined) return !Object.hasOwn(flag.variants, named ?? '');
  return variant === named && (reason === 'DEFAULT') === !serves;
};

const askFlagd = ({ document, key, context, type }: DifferentialCase): Details => {
  const storage = new MemoryStorage(quiet);
  const core = new FlagdCore(storage, quiet);
  core.setConfigurations(JSON.stringify(document));
  const { value, variant, reason, errorCode } = atNow(() => {
    switch (type) {
      case 'boolean':
        return core.resolveBooleanEvaluation(key, FALLBACK.boolean as boolean, context as never, quiet);
      case 'string':
        return core.resolveStringEvaluation(key, FALLBACK.string as string, context as never, quiet);
      case 'number':
        return core.resolveNumberEvaluation(key, FALLBACK.number as number, context as never, quiet);
      case 'object':
        return core.resolveObjectEvaluation(key, FALLBACK.object as never, context as never, quiet);
    }
  });
  if (errorCode) return { value, reason: String(reason), errorCode };
  return variant === undefined
    ? { value, reason: String(reason) }
    : { value, variant, reason: String(reason) };
};

/** flagd-core reads the clock itself. */
const atNow = <T>(work: () => T): T => {
  const real = Date.now;
  Date.now = () => NOW;
  try {
    return work();
  } finally {
    Date.now = real;
  }
};
