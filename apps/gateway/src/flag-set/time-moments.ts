/** When a rule's answer can change although nothing is published, in Unix seconds. */
export interface TimeMoments {
  /** The rule compares the time with a constant: the answer can change there, and at no other time. */
  readonly thresholds: readonly number[];
  /** It computes with the time: the answer can change at any moment between, such as along a ramp. */
  readonly ramps: readonly Ramp[];
}

interface Ramp {
  readonly from: number;
  readonly to: number;
}

const NOTHING: TimeMoments = { thresholds: [], ramps: [] };
const COMPARISONS = new Set(['<', '<=', '>', '>=', '==', '===', '!=', '!==']);
/** Numbers between these are taken for moments: 2001 to 5138. Weights and prices seldom are. */
const [LEAST_MOMENT, LAST_MOMENT] = [1_000_000_000, 100_000_000_000];

/**
 * Finds the moments of a rule. Of a ramp as we compile one both ends are known; of other sums
 * with the time the ends are the moments written in the same `fractional`, and without two of them it has none.
 */
export const timeMoments = (targeting: unknown): TimeMoments => {
  if (!mentionsTime(targeting)) return NOTHING;
  const thresholds = new Set<number>();
  const ramps = new Map<string, Ramp>();
  const walk = (node: unknown, enclosing: unknown): void => {
    if (node === null || typeof node !== 'object') return;
    if (Array.isArray(node)) {
      for (const member of node) walk(member, enclosing);
      return;
    }
    const ramp = compiledRamp(node) ?? (isTime(node) ? spanOf(enclosing) : null);
    if (ramp !== null) {
      ramps.set(`${ramp.from} ${ramp.to}`, ramp);
      return;
    }
    for (const [operator, args] of Object.entries(node)) {
      const constants = COMPARISONS.has(operator) ? comparedWith(args) : null;
      if (constants === null) walk(args, operator === 'fractional' ? node : enclosing);
      else for (const constant of constants) addThreshold(thresholds, constant, isFrom(operator, args));
    }
  };
  walk(targeting, targeting);
  return { thresholds: [...thresholds].sort((a, b) => a - b), ramps: [...ramps.values()] };
};

/** `{"min": [span, {"-": [time, start]}]}`: how much of a ramp has passed. */
const compiledRamp = (node: object): Ramp | null => {
  const [span, since] = listOf((node as { min?: unknown }).min);
  const [time, start] = listOf((since as { '-'?: unknown } | undefined)?.['-']);
  if (typeof span !== 'number' || typeof start !== 'number' || !isTime(time)) return null;
  return { from: Math.floor(start), to: Math.ceil(start + span) };
};

const listOf = (args: unknown): readonly unknown[] => (Array.isArray(args) && args.length === 2 ? args : []);

const mentionsTime = (targeting: unknown): boolean =>
  targeting !== undefined && targeting !== null && JSON.stringify(targeting).includes('$flagd.timestamp');

const isTime = (node: unknown): boolean => {
  if (node === null || typeof node !== 'object' || Array.isArray(node)) return false;
  const { var: name } = node as { var?: unknown };
  return name === '$flagd.timestamp' || (Array.isArray(name) && name[0] === '$flagd.timestamp');
};

/** The numbers that the bare time is compared with; null when this is another kind of comparison. */
const comparedWith = (args: unknown): readonly number[] | null => {
  if (!Array.isArray(args) || !args.some(isTime)) return null;
  const others = args.filter((argument) => !isTime(argument));
  return others.every((other) => typeof other === 'number') ? others : null;
};

/** `time >= constant`, which is how schedules are compiled: it changes at the constant and nowhere else. */
const isFrom = (operator: string, args: unknown): boolean =>
  operator === '>=' && isTime((args as readonly unknown[])[0]);

/** At its first second, for the time counts whole ones. */
const addThreshold = (thresholds: Set<number>, constant: number, isFromThere: boolean): void => {
  thresholds.add(Math.ceil(constant));
  // Others may change, or change back, a second later; a moment too many costs one look.
  if (Number.isInteger(constant) && !isFromThere) thresholds.add(constant + 1);
};

const spanOf = (enclosing: unknown): Ramp => {
  const moments: number[] = [];
  const collect = (node: unknown): void => {
    if (typeof node === 'number' && node >= LEAST_MOMENT && node < LAST_MOMENT) moments.push(node);
    else if (node !== null && typeof node === 'object') Object.values(node).forEach(collect);
  };
  collect(enclosing);
  if (moments.length < 2) return { from: moments[0] ?? 0, to: Number.POSITIVE_INFINITY };
  return { from: Math.floor(Math.min(...moments)), to: Math.ceil(Math.max(...moments)) };
};

/** Looks along one ramp: a hundred of them, but none within a minute of another. */
const RAMP_LOOKS = 100;
const LEAST_LOOK_SECONDS = 60;

const lookEvery = ({ from, to }: Ramp): number =>
  Number.isFinite(to)
    ? Math.max(LEAST_LOOK_SECONDS, Math.ceil((to - from) / RAMP_LOOKS))
    : LEAST_LOOK_SECONDS * 10;

/** The newest moment at or before `second`; null when there was none. A function of rule and time alone, so that replicas agree. */
export const lastMoment = ({ thresholds, ramps }: TimeMoments, second: number): number | null => {
  let last = Number.NEGATIVE_INFINITY;
  for (const threshold of thresholds) if (threshold <= second) last = Math.max(last, threshold);
  for (const ramp of ramps) {
    if (second < ramp.from) continue;
    const looks = Math.floor((Math.min(second, ramp.to) - ramp.from) / lookEvery(ramp));
    last = Math.max(last, second >= ramp.to ? ramp.to : ramp.from + looks * lookEvery(ramp));
  }
  return Number.isFinite(last) ? last : null;
};

/** The first moment after `second`; null when the answer will not change by itself again. */
export const nextMoment = ({ thresholds, ramps }: TimeMoments, second: number): number | null => {
  let next = Number.POSITIVE_INFINITY;
  for (const threshold of thresholds) if (threshold > second) next = Math.min(next, threshold);
  for (const ramp of ramps) {
    if (second >= ramp.to) continue;
    const looks = Math.floor((second - ramp.from) / lookEvery(ramp)) + 1;
    next = Math.min(
      next,
      second < ramp.from ? ramp.from : Math.min(ramp.to, ramp.from + looks * lookEvery(ramp)),
    );
  }
  return Number.isFinite(next) ? next : null;
};
