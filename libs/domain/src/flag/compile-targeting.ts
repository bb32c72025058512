import type { FlagDefinition, JsonValue, Serve } from '@headgate/contracts';
import { type CompiledServe, compileServe, WHOLE_PPM } from './compile-serve.js';
import type { Split } from './flag.js';
import { settleRule } from './settle-rule.js';
import type { CompilableFlag, Surroundings } from './surroundings.js';

export interface CompiledTargeting {
  /** Absent: the default variant for everybody. */
  readonly targeting: JsonValue | undefined;
  readonly defaultVariant: FlagDefinition['defaultVariant'];
}

/** `if` branches in order, and what nobody's branch gets; null: the document's default variant. */
interface Chain {
  readonly branches: readonly (readonly [when: JsonValue, then: JsonValue])[];
  readonly otherwise: JsonValue;
}

/** How a flag is compiled: for its own document, or as the prerequisite of another one. */
interface Compiling {
  readonly around: Surroundings;
  /** What stands where no rule has an answer. */
  readonly end: JsonValue;
  /** Set within another flag's document. */
  readonly asFlag: string | null;
  /** Answers of prerequisites, compiled once however often they are referred to. */
  readonly answers: Map<string, JsonValue>;
  /** Keys of the flags that are being compiled. */
  readonly within: readonly string[];
}

/**
 * Everything that decides about a flag as one flagd expression, in the order: prerequisites, rules (or `targeting`), the
 * rollout under way, else the newest due entry of the schedule, else `fallthrough`, else the default variant. Never throws:
 * what refers to nothing counts as unmet.
 */
export const compileTargeting = (flag: CompilableFlag, around: Surroundings): CompiledTargeting => {
  const { definition } = flag;
  if (isRawOnly(flag))
    return {
      targeting: definition.targeting && settleRule(definition.targeting, around.segment, null),
      defaultVariant: definition.defaultVariant,
    };
  // Who does not meet a prerequisite gets the default in the code. flagd can say so only with null and no default variant;
  // everybody else's default is then written out.
  const isDefaultWritten =
    typeof definition.defaultVariant === 'string' &&
    (definition.prerequisites ?? []).some(({ otherwise }) => otherwise === undefined);
  const end = isDefaultWritten ? (definition.defaultVariant ?? null) : null;
  const compiling = { around, end, asFlag: null, answers: new Map(), within: [flag.key] };
  return {
    targeting: expressionOf(chainOf(flag, compiling)),
    defaultVariant: isDefaultWritten ? null : definition.defaultVariant,
  };
};

/** As in version 0.1: what is written is what is published. */
const isRawOnly = ({ definition, split }: CompilableFlag): boolean =>
  !split &&
  definition.rules === undefined &&
  definition.schedule === undefined &&
  definition.fallthrough === undefined &&
  definition.prerequisites === undefined;

const chainOf = (flag: CompilableFlag, compiling: Compiling): Chain => {
  const { definition } = flag;
  const unmet = unmetBranches(flag, compiling);
  if (unmet.otherwise !== undefined) return { branches: unmet.branches, otherwise: unmet.otherwise };
  const rest = restOf(flag, compiling);
  const rules = (definition.rules ?? []).map(({ when, serve }) => {
    const condition = settleRule(when, compiling.around.segment, compiling.asFlag);
    const { expression, needs } = served(flag, serve);
    return [needs === null ? condition : { and: [condition, { var: needs }] }, expression] as const;
  });
  const before = [...unmet.branches, ...rules];
  if (!hasRules(definition.targeting))
    return { branches: [...before, ...rest.branches], otherwise: rest.otherwise };
  const own = settleRule(definition.targeting, compiling.around.segment, compiling.asFlag);
  if (rest.branches.length === 0 && rest.otherwise === null) return { branches: before, otherwise: own };
  // Strictly: a rule that answers false or 0 names a variant too.
  const answers = [{ '!==': [own, null] }, own] as const;
  return { branches: [...before, answers, ...rest.branches], otherwise: rest.otherwise };
};

/** What follows the rules. */
const restOf = (flag: CompilableFlag, { end }: Compiling): Chain => {
  const { definition, split } = flag;
  if (split) return { branches: [], otherwise: splitOf(split, definition.defaultVariant ?? null) };
  const guarded = (serve: Serve): JsonValue => {
    const { expression, needs } = served(flag, serve);
    return needs === null ? expression : { if: [{ var: needs }, expression, end] };
  };
  const newestFirst = [...(definition.schedule ?? [])].sort((a, b) => b.at - a.at);
  return {
    branches: newestFirst.map(({ at, serve }) => [
      { '>=': [{ var: '$flagd.timestamp' }, at / 1_000] },
      guarded(serve),
    ]),
    otherwise: definition.fallthrough ? guarded(definition.fallthrough) : end,
  };
};

/** The wanted variant stands first: raising its weight only adds members. */
export const splitOf = ({ seed, variant, weightPpm }: Split, defaultVariant: string | null): JsonValue => ({
  fractional: [
    { cat: [seed, { var: 'targetingKey' }] },
    [variant, weightPpm],
    [defaultVariant, WHOLE_PPM - weightPpm],
  ],
});

/** Branches of those who miss a prerequisite; `otherwise` when everybody does. */
const unmetBranches = (
  flag: CompilableFlag,
  compiling: Compiling,
): { readonly branches: Chain['branches']; readonly otherwise?: JsonValue } => {
  const branches: (readonly [JsonValue, JsonValue])[] = [];
  for (const { flag: key, variants, otherwise = null } of flag.definition.prerequisites ?? []) {
    const answer = answerOf(key, compiling);
    if (answer === null) return { branches, otherwise };
    if (typeof answer === 'string') {
      if (variants.includes(answer)) continue;
      return { branches, otherwise };
    }
    branches.push([{ '!': [{ in: [answer, wantedOf(variants)] }] }, otherwise]);
  }
  return { branches };
};

/** An expression for the variant that the flag of that key serves; null: none, whoever asks. */
const answerOf = (key: string, compiling: Compiling): JsonValue => {
  const known = compiling.answers.get(key);
  if (known !== undefined) return known;
  const { around, answers, within } = compiling;
  const flag = around.flag(key);
  const serves = flag?.status === 'active' && flag.definition.state === 'ENABLED' && !within.includes(key);
  const answer = serves ? answering(flag, { ...compiling, within: [...within, key] }) : null;
  answers.set(key, answer);
  return answer;
};

const answering = (flag: CompilableFlag, compiling: Compiling): JsonValue => {
  const { branches, otherwise } = chainOf(flag, {
    ...compiling,
    end: flag.definition.defaultVariant ?? null,
    asFlag: flag.key,
  });
  return branches.length === 0 ? otherwise : ifOf(branches, otherwise);
};

/** Names of variants as a rule may answer them: flagd takes `true` for "true" and 1 for "1". */
const wantedOf = (variants: readonly string[]): JsonValue => [
  ...variants,
  ...(variants.includes('true') ? [true] : []),
  ...(variants.includes('false') ? [false] : []),
  ...variants.map(Number).filter((number) => variants.includes(String(number)) && Number.isFinite(number)),
];

const expressionOf = ({ branches, otherwise }: Chain): JsonValue | undefined => {
  if (branches.length > 0) return ifOf(branches, otherwise);
  if (otherwise === null) return undefined;
  // flagd's targeting is an object, never a bare name.
  return typeof otherwise === 'string' ? { if: [true, otherwise] } : otherwise;
};

const ifOf = (branches: Chain['branches'], otherwise: JsonValue): JsonValue => ({
  if: [...branches.flat(), otherwise],
});

const served = ({ key, definition }: CompilableFlag, serve: Serve): CompiledServe =>
  compileServe(serve, definition.seed ?? key, definition.defaultVariant ?? null);

/** To flagd an empty object is no rule. */
export const hasRules = (own: JsonValue | undefined): own is JsonValue =>
  own !== undefined && own !== null && (typeof own !== 'object' || Object.keys(own).length > 0);
