const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};
/** The longest that a Node timer waits. */
const MAX_MS = 2 ** 31 - 1;

/** How long the caller waits, from `grpc-timeout`; null when it says nothing that can be understood. */
export const timeoutOf = (header: string | string[] | undefined): number | null => {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(header ?? '')) ?? [];
  if (digits === undefined || unit === undefined) return null;
  return Math.min(Math.ceil(Number(digits) * UNIT_MS[unit]!), MAX_MS);
};
