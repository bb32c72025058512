/** How far a channel's flags have come: the head served, and the newest one, whose kills are taken already. */
export interface FlagsVersion {
  readonly served: Place;
  readonly tip: Place;
}

interface Place {
  readonly epoch: number;
  readonly n: number;
}

const VERSION = /^(\d{1,15})\.(\d{1,15})(?:\+(\d{1,15})\.(\d{1,15}))?$/;

/** `<epoch>.<n>`, and the newest head after a `+` when only its kills are taken; null for anything else. */
export const parseVersion = (text: string): FlagsVersion | null => {
  const [, ...parts] = VERSION.exec(text) ?? [];
  if (parts.length === 0) return null;
  const [epoch, n, tipEpoch, tipN] = parts.map(Number) as [number, number, number, number];
  const served = { epoch, n };
  return { served, tip: parts[2] === undefined ? served : { epoch: tipEpoch, n: tipN } };
};

export const formatVersion = ({ served, tip }: FlagsVersion): string =>
  reaches(served, tip) ? `${served.epoch}.${served.n}` : `${served.epoch}.${served.n}+${tip.epoch}.${tip.n}`;

/** Whether flags at `version` hold everything that flags at `demanded` did. */
export const isAtLeast = (version: FlagsVersion, demanded: FlagsVersion): boolean =>
  reaches(version.served, demanded.served) && reaches(version.tip, demanded.tip);

const reaches = (a: Place, b: Place): boolean => a.epoch > b.epoch || (a.epoch === b.epoch && a.n >= b.n);
