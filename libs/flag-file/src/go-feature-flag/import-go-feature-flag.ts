import type { FlagDefinition, JsonValue, Serve, TargetingRule } from '@headgate/contracts';
import { isFields } from '../definition-form.js';
import type { Path } from '../flag-file.js';
import { allOf } from '../logic.js';
import { type Imported, type ImportOptions, unread } from '../report.js';
import { type DraftDefinition, type Gathering, gather } from '../source.js';
import { problemAt, readTree, type TextForm } from '../text-tree.js';
import { type GoffFlag, type GoffRule, type GoffState, goffFlag, statesOf } from './goff-source.js';
import { attributeOf, queryCondition } from './query-condition.js';
import { type RuleAt, serveOf } from './serve-of-rule.js';

export interface GoFeatureFlagOptions extends ImportOptions {
  /** YAML, of which JSON is a part, when absent. */
  readonly form?: TextForm;
}

/**
 * Flags of GO Feature Flag (format of version 1) as a flag file: rules, percentages, progressive and scheduled rollouts,
 * experimentation dates. What cannot be said is left out and reported.
 */
export const importGoFeatureFlag = (text: string, options: GoFeatureFlagOptions = {}): Imported => {
  const read = readTree(text, options.form);
  if ('problems' in read) return unread(read.problems);
  const { tree } = read;
  const top = tree.value;
  if (!isFields(top) || Object.keys(top).length === 0)
    return unread([problemAt(tree, [], 'no flags of GO Feature Flag', 'It needs one entry per flag.')]);
  return gather(tree, options, (gathering) => {
    for (const [key, value] of Object.entries(top)) if (key !== '$schema') carryFlag(key, value, gathering);
  });
};

const carryFlag = (key: string, value: JsonValue, gathering: Gathering): void => {
  const flag = readFlag(key, value, gathering);
  if (!flag) return;
  remarks(key, flag, gathering);
  const states = statesOf(flag);
  const variants = Object.assign({}, ...states.map(({ variations }) => variations)) as Record<
    string,
    JsonValue
  >;
  const path = [key];
  const at: RuleAt = { flag: key, bucketBy: attributeOf(flag.bucketingKey || 'targetingKey'), path };
  const draft: DraftDefinition = {
    ...describedBy(key, flag, gathering),
    state: states.every(({ isDisabled }) => isDisabled) ? 'DISABLED' : 'ENABLED',
    variants,
    ...decidingOf(states, at, gathering),
  };
  gathering.flag(key, draft, path);
};

const readFlag = (key: string, value: JsonValue, { drop }: Gathering): GoffFlag | undefined => {
  if (
    isFields(value) &&
    value.variations === undefined &&
    (value.percentage ?? value.default) !== undefined
  ) {
    drop(key, [key], 'the format before version 1', 'Convert it with GO Feature Flag’s own migration first.');
    return undefined;
  }
  const parsed = goffFlag.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = (issue?.path ?? []).map((part) => (typeof part === 'number' ? part : String(part)));
  drop(key, [key, ...at], `not a flag: ${issue?.message ?? ''}`, 'Mend it.');
  return undefined;
};

type Deciding = Pick<FlagDefinition, 'defaultVariant' | 'rules' | 'fallthrough' | 'schedule'>;

/** A state that changes only what everybody else gets is a schedule; anything more becomes rules that hold for their time. */
const decidingOf = (states: readonly GoffState[], at: RuleAt, gathering: Gathering): Deciding => {
  const [first, ...later] = states as readonly [GoffState, ...GoffState[]];
  const isTimeless = ({ window, isDisabled }: GoffState): boolean =>
    window.start === undefined && window.end === undefined && isDisabled === first.isDisabled;
  const isSchedule =
    states.every(isTimeless) &&
    later.every((state) => JSON.stringify(state.rules) === JSON.stringify(first.rules));
  if (!isSchedule)
    return {
      rules: states.flatMap((state, i) => windowedRules(state, states[i + 1]?.from, i, at, gathering)),
    };
  const rules = rulesOf(first, [], at, gathering);
  const serve = defaultServe(first, at, gathering);
  const schedule = later.flatMap((state, i): { at: number; serve: Serve }[] => {
    const then = defaultServe(state, { ...at, path: [...at.path, 'scheduledRollout', i] }, gathering);
    return then ? [{ at: state.from ?? 0, serve: then }] : [];
  });
  return {
    ...(serve && 'variant' in serve
      ? { defaultVariant: serve.variant }
      : serve
        ? { fallthrough: serve }
        : {}),
    ...(rules.length > 0 ? { rules: [...rules] } : {}),
    ...(schedule.length > 0 ? { schedule } : {}),
  };
};

/** Outside its time and its experiment nobody meets these rules, and the default in the code is served. */
const windowedRules = (
  state: GoffState,
  until: number | undefined,
  index: number,
  at: RuleAt,
  gathering: Gathering,
): readonly TargetingRule[] => {
  if (state.isDisabled) return [];
  const start = Math.max(state.from ?? 0, state.window.start ?? 0);
  const end = Math.min(until ?? Number.POSITIVE_INFINITY, state.window.end ?? Number.POSITIVE_INFINITY);
  if (end <= start) return [];
  const now: JsonValue = { var: '$flagd.timestamp' };
  const guard: JsonValue[] = [
    ...(start > 0 ? [{ '>=': [now, Math.ceil(start / 1_000)] }] : []),
    ...(Number.isFinite(end) ? [{ '<': [now, Math.ceil(end / 1_000)] }] : []),
  ];
  const place = { ...at, path: index === 0 ? at.path : [...at.path, 'scheduledRollout', index - 1] };
  const serve = defaultServe(state, place, gathering);
  return [
    ...rulesOf(state, guard, place, gathering),
    ...(serve ? [{ when: allOf(guard), serve } satisfies TargetingRule] : []),
  ];
};

const defaultServe = ({ defaultRule }: GoffState, at: RuleAt, gathering: Gathering): Serve | undefined => {
  if (defaultRule) return serveOf(defaultRule, { ...at, path: [...at.path, 'defaultRule'] }, gathering);
  gathering.drop(
    at.flag,
    at.path,
    'no default rule: the default in the code is served',
    'Give it a defaultRule.',
  );
  return undefined;
};

const rulesOf = (
  { rules }: GoffState,
  guard: readonly JsonValue[],
  at: RuleAt,
  gathering: Gathering,
): readonly TargetingRule[] =>
  rules.flatMap((rule, i): TargetingRule[] => {
    const path: Path = [...at.path, 'targeting', i];
    if (rule.disable) {
      gathering.drop(at.flag, path, 'the rule is disabled', 'Nothing to do; add it when it is wanted again.');
      return [];
    }
    const condition = whenOf(rule, path, at.flag, gathering);
    const serve = condition === undefined ? undefined : serveOf(rule, { ...at, path }, gathering);
    if (condition === undefined || !serve) return [];
    const when = allOf([...guard, ...(condition === true ? [] : [condition])]);
    return [{ ...(rule.name ? { name: rule.name.slice(0, 100) } : {}), when, serve }];
  });

const whenOf = (
  { query = '' }: GoffRule,
  path: Path,
  flag: string,
  { drop }: Gathering,
): JsonValue | undefined => {
  const made = queryCondition(query);
  if (!('when' in made)) {
    drop(flag, [...path, 'query'], `${made.why}; the rule is left out`, made.mend);
    return undefined;
  }
  if (made.remark) drop(flag, [...path, 'query'], made.remark.why, made.remark.mend);
  return made.when;
};

const KNOWN = [
  ...['variations', 'targeting', 'defaultRule', 'experimentation', 'disable', 'version', 'trackEvents'],
  ...['bucketingKey', 'metadata', 'scheduledRollout', 'converter'],
];

const remarks = (key: string, flag: GoffFlag, { drop }: Gathering): void => {
  if (flag.trackEvents === false)
    drop(key, [key, 'trackEvents'], 'events are not tracked', 'Turn exposures off in the SDK.');
  for (const name of Object.keys(flag))
    if (!KNOWN.includes(name))
      drop(key, [key, name], `"${name}" is not known`, 'Nothing to do; it was ignored.');
  for (const [i, step] of (flag.scheduledRollout ?? []).entries()) {
    if (step.date === undefined)
      drop(key, [key, 'scheduledRollout', i], 'a step without a date never comes', 'Give it a date.');
    for (const name of Object.keys(step.variations ?? {}))
      if (Object.hasOwn(flag.variations ?? {}, name))
        drop(
          key,
          [key, 'scheduledRollout', i, 'variations', name],
          `the value of "${name}" changes with the step; here it has one value, the last`,
          'Give the new value a name of its own.',
        );
  }
};

const describedBy = (
  key: string,
  { metadata, version }: GoffFlag,
  { drop }: Gathering,
): Pick<FlagDefinition, 'description' | 'metadata'> => {
  const { description, ...rest } = metadata ?? {};
  const own: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(rest)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      own[name] = value;
    else drop(key, [key, 'metadata', name], 'metadata is text, number or boolean', 'Write it as a text.');
  }
  if (version !== undefined) own.version ??= String(version);
  if (typeof description === 'string' && description.length > 2_000)
    drop(key, [key, 'metadata', 'description'], 'longer than 2,000 characters; cut', 'Shorten it.');
  return {
    ...(typeof description === 'string' && description !== ''
      ? { description: description.slice(0, 2_000) }
      : {}),
    ...(Object.keys(own).length > 0 ? { metadata: own } : {}),
  };
};
