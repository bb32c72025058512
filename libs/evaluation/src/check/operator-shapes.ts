import { MAX_TOTAL } from '../rule/fractional.js';
import { parseVersion } from '../semantic-version.js';
import { pointer, type Report, shown } from './problem.js';

/** Arguments of an operator: how many, in what form. Those of flagd's JSON Schema, so that what passes here passes there. */
interface Shape {
  readonly least: number;
  readonly most: number;
  /** `{"!": x}` may stand for `{"!": [x]}`. */
  readonly takesOneBare?: boolean;
  readonly check?: (args: readonly unknown[], path: string, report: Report) => void;
}

const MANY = Number.POSITIVE_INFINITY;
const RANGES = ['=', '!=', '<', '<=', '>', '>=', '~', '^'];
const FLAGD_VARIABLES = ['$flagd.flagKey', '$flagd.timestamp'];

const checkName: Shape['check'] = ([name], path, report) => {
  if (typeof name === 'string' && name.startsWith('$flagd.') && !FLAGD_VARIABLES.includes(name)) {
    report(path, 'unknown-variable', `${shown(name)} does not exist: use ${FLAGD_VARIABLES.join(' or ')}`);
  }
  if (name !== null && typeof name === 'object') {
    report(path, 'wrong-arguments', 'var needs the name of an attribute as a text');
  }
};

const checkNames: Shape['check'] = (args, path, report) => {
  if (args.some((name) => typeof name !== 'string')) {
    report(path, 'wrong-arguments', 'missing needs names of attributes, each as a text');
  }
};

const checkMissingSome: Shape['check'] = ([need, names], path, report) => {
  if (typeof need !== 'number' || !Array.isArray(names) || names.some((name) => typeof name !== 'string')) {
    report(path, 'wrong-arguments', 'missing_some needs a number and a list of names: [1, ["a", "b"]]');
  }
};

const checkSemVer: Shape['check'] = ([left, range, right], path, report) => {
  if (!RANGES.includes(range as string)) {
    report(
      pointer(path, 1),
      'wrong-arguments',
      `${shown(range)} compares no versions: use one of ${RANGES.join(' ')}`,
    );
  }
  for (const [index, version] of [
    [0, left],
    [2, right],
  ] as const) {
    const isRule = version !== null && typeof version === 'object' && !Array.isArray(version);
    if (isRule || isFullVersion(version)) continue;
    report(pointer(path, index), 'wrong-arguments', `${shown(version)} is no version: write "1.2.3"`);
  }
};

/** flagd reads "1" and "v1.2" of a context, but its schema wants whole versions of a rule. */
const isFullVersion = (version: unknown): boolean =>
  typeof version === 'string' && /^\d+\.\d+\.\d+\S*$/.test(version) && parseVersion(version) !== null;

const checkTexts: Shape['check'] = (args, path, report) => {
  args.forEach((arg, index) => {
    if (typeof arg === 'string' || (arg !== null && typeof arg === 'object' && !Array.isArray(arg))) return;
    report(pointer(path, index), 'wrong-arguments', `${shown(arg)} is no text`);
  });
};

/** `[bucketBy?, [variant, weight?], …]`. */
const checkFractional: Shape['check'] = (args, path, report) => {
  const offset = Array.isArray(args[0]) ? 0 : 1;
  const [bucketBy] = args;
  if (offset === 1 && (bucketBy === null || typeof bucketBy !== 'object')) {
    report(
      pointer(path, 0),
      'wrong-arguments',
      `${shown(bucketBy)} cannot be bucketed by: use a rule, as {"cat": ["seed", {"var": "targetingKey"}]}`,
    );
  }
  if (args.length === offset)
    report(path, 'wrong-arguments', 'fractional needs at least one [variant, weight]');
  let total = 0;
  let isKnown = true;
  for (const [index, share] of args.entries()) {
    if (index < offset) continue;
    const at = pointer(path, index);
    if (!Array.isArray(share) || share.length < 1 || share.length > 2) {
      isKnown = false;
      report(at, 'wrong-arguments', `${shown(share)} is no share: write [variant, weight]`);
      continue;
    }
    const weight = share.length === 2 ? share[1] : 1;
    if (weight !== null && typeof weight === 'object') isKnown = false;
    else if (Number.isInteger(weight) && weight >= 0) total += weight;
    else {
      isKnown = false;
      report(pointer(at, 1), 'wrong-weights', `weight ${shown(weight)} must be a whole number, 0 or more`);
    }
  }
  if (total > MAX_TOTAL) report(path, 'wrong-weights', `weights sum to ${total}, above ${MAX_TOTAL}`);
  if (isKnown && args.length > offset && total === 0) {
    report(path, 'wrong-weights', 'every weight is 0: nobody would be served any of these variants');
  }
};

const exactly = (count: number, check?: Shape['check']): Shape => ({
  least: count,
  most: count,
  ...(check ? { check } : {}),
});
const oneOrMore: Shape = { least: 1, most: MANY };
const one: Shape = { least: 1, most: 1, takesOneBare: true };
const two = exactly(2);
const between: Shape = { least: 2, most: 3 };

const SHAPES: ReadonlyMap<string, Shape> = new Map(
  Object.entries({
    var: { least: 0, most: 2, takesOneBare: true, check: checkName },
    missing: { least: 0, most: MANY, check: checkNames },
    missing_some: exactly(2, checkMissingSome),
    if: oneOrMore,
    and: oneOrMore,
    or: oneOrMore,
    '!': one,
    '!!': one,
    '==': two,
    '!=': two,
    '===': two,
    '!==': two,
    '>': two,
    '>=': two,
    '<': between,
    '<=': between,
    '%': two,
    '/': two,
    '*': { least: 2, most: MANY },
    '+': oneOrMore,
    '-': oneOrMore,
    min: oneOrMore,
    max: oneOrMore,
    map: two,
    filter: two,
    all: two,
    none: two,
    some: two,
    reduce: exactly(3),
    merge: oneOrMore,
    in: two,
    cat: oneOrMore,
    substr: between,
    starts_with: exactly(2, checkTexts),
    ends_with: exactly(2, checkTexts),
    sem_ver: exactly(3, checkSemVer),
    fractional: { least: 1, most: MANY, check: checkFractional },
  } satisfies Record<string, Shape>),
);

/** Which arguments an operator has, or null where they are not written as it needs them (which is reported). */
export const argumentsOf = (
  name: string,
  written: unknown,
  path: string,
  report: Report,
): readonly unknown[] | null => {
  const shape = SHAPES.get(name);
  if (!shape) {
    report(
      path,
      'unknown-operator',
      `operator ${shown(name)} does not exist: flagd and Headgate know ${[...SHAPES.keys()].join(' ')}`,
    );
    return null;
  }
  if (!Array.isArray(written) && !shape.takesOneBare) {
    report(path, 'wrong-arguments', `${name} needs a list of arguments, got ${shown(written)}`);
    return null;
  }
  const args: readonly unknown[] = Array.isArray(written) ? written : [written];
  if (args.length < shape.least || args.length > shape.most) {
    report(path, 'wrong-arguments', `${name} takes ${countOf(shape)}, got ${args.length}`);
    return null;
  }
  shape.check?.(args, path, report);
  return args;
};

const countOf = ({ least, most }: Shape): string => {
  if (most === MANY) return `${least} or more arguments`;
  return least === most ? `${least} argument${least === 1 ? '' : 's'}` : `${least} to ${most} arguments`;
};
