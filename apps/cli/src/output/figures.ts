/** 10_000 ppm → `1 %`. */
export const percent = (ppm: number): string => `${Number((ppm / 10_000).toFixed(4))} %`;

export const instant = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `90s`, `30m`, `24h`, `7d` in milliseconds; undefined for anything else. */
export const durationMs = (text: string): number | undefined => {
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  return amount === undefined || unit === undefined ? undefined : Number(amount) * (UNITS[unit] ?? 0);
};

export const duration = (ms: number): string => {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 120_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Number((ms / 3_600_000).toFixed(1))} h`;
};
