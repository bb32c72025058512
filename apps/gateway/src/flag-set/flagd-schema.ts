import type { FlagdFlag } from './flagd-flag.js';

/**
 * flagd's JSON Schema of a flag (flags.json and targeting.json of flagd-schemas 0.2.15) as one function, because a schema
 * compiler would have to be shipped, and run over 5,000 flags at each start. Specs hold it against the schema itself. Stricter in
 * two places where stock providers throw the whole document away: the default must be a variant, and a rule has one operator.
 */
export const checkFlagdFlag = (flag: FlagdFlag): string | null => {
  const { state, variants, defaultVariant, targeting, metadata } = flag;
  if (state !== 'ENABLED' && state !== 'DISABLED') return 'state is neither ENABLED nor DISABLED';
  const names = isObject(variants) ? Object.keys(variants) : [];
  if (names.length === 0) return 'it has no variants';
  if (names.includes('')) return 'a variant has no name';
  const types = new Set(Object.values(variants).map(typeOf));
  const [type] = types;
  if (types.size > 1) return `its variants are of several types: ${[...types].join(', ')}`;
  if (!['boolean', 'string', 'number', 'object'].includes(type!)) return `its variants are of type ${type}`;
  if (defaultVariant !== undefined && defaultVariant !== null && !Object.hasOwn(variants, defaultVariant))
    return `its default ${JSON.stringify(defaultVariant)} is not one of its variants`;
  if (metadata !== undefined && !isFlat(metadata)) return 'its metadata are not flat';
  return targeting === undefined ? null : checkTargeting(targeting);
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const typeOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

const isFlat = (metadata: unknown): boolean =>
  isObject(metadata) &&
  Object.values(metadata).every((value) => ['string', 'number', 'boolean'].includes(typeof value));

const checkTargeting = (targeting: unknown): string | null => {
  if (!isObject(targeting)) return `its targeting is of type ${typeOf(targeting)}, not an operator`;
  return Object.keys(targeting).length === 0 ? null : checkRule(targeting, 'targeting');
};

type Check = (args: unknown, path: string) => string | null;

const checkRule = (rule: unknown, path: string): string | null => {
  if (!isObject(rule)) return `${path} is not an operator`;
  const names = Object.keys(rule);
  if (names.length !== 1) return `${path} has ${names.length} operators in place of one`;
  const name = names[0]!;
  const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
  return check === undefined
    ? `${path} uses ${JSON.stringify(name.slice(0, 50))}, which flagd does not know`
    : check(rule[name], `${path}.${name}`);
};

/** An argument: a literal, a list (whose members the schema leaves open), a reference, or a rule. */
const checkArgument: Check = (argument, path) => {
  if (!isObject(argument)) return null;
  return isReference(argument) ? null : checkRule(argument, path);
};

const isReference = (argument: Readonly<Record<string, unknown>>): boolean =>
  typeof argument.$ref === 'string' && Object.keys(argument).length === 1;

const first = (problems: Iterable<string | null>): string | null => {
  for (const problem of problems) if (problem !== null) return problem;
  return null;
};

const list =
  (least: number, most: number, member: Check = checkArgument): Check =>
  (args, path) => {
    if (!Array.isArray(args)) return `${path} takes a list`;
    if (args.length < least || args.length > most)
      return `${path} takes ${least === most ? least : `${least} to ${most}`} arguments, not ${args.length}`;
    return first(args.map((argument, i) => member(argument, `${path}[${i}]`)));
  };

const checkText: Check = (value, path) => (typeof value === 'string' ? null : `${path} is not a text`);

/** Of our own words under `$flagd` flagd knows two. */
const checkVar: Check = (name, path) =>
  typeof name === 'string' && /^\$flagd\..*$/u.test(name) && !/^\$flagd\.(timestamp|flagKey)$/u.test(name)
    ? `${path} names ${JSON.stringify(name.slice(0, 50))}, which flagd does not provide`
    : null;

const checkVarRule: Check = (rule, path) =>
  isObject(rule) && Object.keys(rule).length === 1 && Object.hasOwn(rule, 'var')
    ? checkVar(rule.var, `${path}.var`)
    : `${path} is neither a version nor a var`;

const SEMANTIC_VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/u;

const checkVersion: Check = (value, path) => {
  if (typeof value !== 'string') return checkVarRule(value, path);
  return SEMANTIC_VERSION.test(value) ? null : `${path} is not a full semantic version`;
};

const checkSemVer: Check = (args, path) => {
  if (!Array.isArray(args) || args.length !== 3) return `${path} takes two versions around an operator`;
  const [left, operator, right] = args;
  if (!['=', '!=', '>', '<', '>=', '<=', '~', '^'].includes(operator)) return `${path}[1] is no operator`;
  return checkVersion(left, `${path}[0]`) ?? checkVersion(right, `${path}[2]`);
};

const checkWeight: Check = (weight, path) => {
  if (typeof weight !== 'number') return checkRule(weight, path);
  return Number.isInteger(weight) && weight >= 0 ? null : `${path} is not a whole number from 0 on`;
};

const checkShare: Check = (share, path) => {
  if (!Array.isArray(share) || share.length === 0 || share.length > 2)
    return `${path} is not [variant, weight]`;
  const weight = share.length === 2 ? checkWeight(share[1], `${path}[1]`) : null;
  return checkArgument(share[0], `${path}[0]`) ?? weight;
};

const checkFractional: Check = (args, path) => {
  if (!Array.isArray(args) || args.length === 0) return `${path} takes a list of shares`;
  const shares = (from: number) =>
    args.slice(from).map((share, i) => checkShare(share, `${path}[${i + from}]`));
  return first(Array.isArray(args[0]) ? shares(0) : [checkRule(args[0], `${path}[0]`), ...shares(1)]);
};

const checkMissingSome: Check = (args, path) => {
  if (!Array.isArray(args) || args.length !== 2 || typeof args[0] !== 'number')
    return `${path} takes a number and a list of names`;
  return list(0, Number.POSITIVE_INFINITY, checkText)(args[1], `${path}[1]`);
};

/** The schema lets a text or a rule stand in a comparison of texts, and nothing else. */
const checkTextArgument: Check = (argument, path) =>
  typeof argument === 'string' ? null : checkRule(argument, path);

const withCheck = (check: Check, ...names: readonly string[]): Record<string, Check> =>
  Object.fromEntries(names.map((name) => [name, check]));

const CHECKS: Readonly<Record<string, Check>> = {
  ...withCheck(list(2, 2), '==', '===', '!=', '!==', '>', '>=', '%', '/'),
  ...withCheck(list(2, 2), 'map', 'filter', 'all', 'none', 'some', 'in'),
  ...withCheck(list(2, 3), 'substr', '<', '<='),
  ...withCheck(list(3, 3), 'reduce'),
  ...withCheck(list(2, Number.POSITIVE_INFINITY), '*'),
  ...withCheck(list(1, Number.POSITIVE_INFINITY), 'if', 'or', 'and', '+', '-', 'max', 'min', 'merge', 'cat'),
  ...withCheck(checkArgument, '!', '!!'),
  ...withCheck(list(2, 2, checkTextArgument), 'starts_with', 'ends_with'),
  ...withCheck(list(0, Number.POSITIVE_INFINITY, checkText), 'missing'),
  missing_some: checkMissingSome,
  var: checkVar,
  sem_ver: checkSemVer,
  fractional: checkFractional,
};
