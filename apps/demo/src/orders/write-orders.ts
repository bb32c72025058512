const FIRMS = [
  'Meyer',
  'Okafor',
  'Lindqvist',
  'Tanaka',
  'Duarte',
  'Novak',
  'Haddad',
  'Byrne',
  'Sorensen',
  'Iyer',
];
const GOODS = ['valve-12', 'hose-3m', 'pump-a', 'seal-kit', 'filter-9', 'gauge-x', 'clamp-40', 'motor-2k'];

/** Shares of a day's mail, as a shop with customers on the continent sees it. */
const CONTINENTAL_PRICES = 0.03;
const CUT_OFF_UPLOADS = 0.003;
const NAMES_WITH_SEPARATOR = 0.05;

/** Order lines, drawn from `random` (0 to below 1). What fails is decided by who reads the line, not here. */
export const writeOrder = (random: () => number): string => {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const customer = random() < NAMES_WITH_SEPARATOR ? `"${pick(FIRMS)}; Sons"` : pick(FIRMS);
  const cents = 150 + Math.floor(random() * 400_000);
  const price = random() < CONTINENTAL_PRICES ? continental(cents) : (cents / 100).toFixed(2);
  const line = `${customer};${pick(GOODS)};${1 + Math.floor(random() * 40)};${price};order of ${pick(FIRMS)}`;
  return random() < CUT_OFF_UPLOADS ? line.slice(0, Math.floor(line.length / 3)) : line;
};

const continental = (cents: number): string => {
  const whole = Math.floor(cents / 100)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, '.');
  return `${whole},${(cents % 100).toString().padStart(2, '0')}`;
};

/** Small seeded generator (mulberry32, public domain by its author): the same seed writes the same mail. */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
