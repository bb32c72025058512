import { type GatewayUsage, REPORT_LIMITS } from '@headgate/contracts';
import type { FlagUsage } from './usage.js';

/** Where the use of flags is told. */
export interface UsageOptions {
  /** SHA-256 hex that names this gateway, the same after a restart. */
  readonly gateway: string;
  /** Keeps the documents, or rejects: they are told again, with what has come since. */
  readonly tell: (usage: readonly GatewayUsage[]) => Promise<void>;
  readonly everyMs?: number;
}

type Served = NonNullable<GatewayUsage['asked']>;

export interface UsageIdentity {
  /** SHA-256 hex that names this gateway, the same after a restart. */
  readonly gateway: string;
  /** 32 hex digits, of this process. */
  readonly bootId: string;
  readonly nextSeq: () => number;
}

/**
 * Rows as the totals that readers of TELEMETRY take: one document per channel, and more where one would be too long. Unknown keys that do
 * not fit are left for later: who asks for them asks again.
 */
export const usageDocuments = (
  rows: Iterable<FlagUsage>,
  { gateway, bootId, nextSeq }: UsageIdentity,
): readonly GatewayUsage[] => {
  const channels = new Map<string, FlagUsage[]>();
  for (const row of rows) {
    const address = `${row.project}/${row.channel}`;
    const held = channels.get(address);
    if (held) held.push(row);
    else channels.set(address, [row]);
  }
  return [...channels].flatMap(([address, held]) => {
    const [project = '', channel = ''] = address.split('/');
    const unknown = held.filter(({ kind }) => kind === 'unknown').map(({ key }) => key);
    const [asked, listed] = [inParts(served(held, 'asked')), inParts(served(held, 'listed'))];
    return Array.from({ length: Math.max(asked.length, listed.length, 1) }, (_, i): GatewayUsage => {
      const unknownFlags = i === 0 ? unknown.slice(0, REPORT_LIMITS.maxUnknownFlagsPerReport) : [];
      return {
        schema: 'headgate.gateway-usage.v1',
        project,
        channel,
        gateway,
        bootId,
        seq: nextSeq(),
        asked: asked[i] ?? [],
        listed: listed[i] ?? [],
        ...(unknownFlags.length === 0 ? {} : { unknownFlags }),
      };
    });
  });
};

const served = (rows: readonly FlagUsage[], wanted: FlagUsage['kind']): Served =>
  rows
    .filter(({ kind }) => kind === wanted)
    .flatMap(({ key, counts }) =>
      Object.entries(counts).map(([variant, count]) => ({
        flag: key,
        ...(variant === '' ? {} : { variant }),
        count,
      })),
    );

/** With the longest keys and variants a document of two such lists still fits into a message. */
const PART = REPORT_LIMITS.maxExposuresPerReport / 4;

const inParts = (all: Served): readonly Served[] =>
  Array.from({ length: Math.ceil(all.length / PART) }, (_, i) => all.slice(i * PART, (i + 1) * PART));
