import { type InstanceReport, telemetrySubject } from '@headgate/contracts';
import type { StoredMessage } from '@headgate/streams';

/** A report as it stands in TELEMETRY: checked at the collector's door, with what was left out still left out. */
export type TelemetryReport = Omit<InstanceReport, 'metrics'> & {
  readonly metrics?: Partial<NonNullable<InstanceReport['metrics']>>;
};

/** One message of TELEMETRY. */
export interface Pack {
  readonly sequence: number;
  readonly project: string;
  /** When it was received; never comes from a report. */
  readonly at: number;
  readonly reports: readonly TelemetryReport[];
}

const PREFIX = telemetrySubject('');

/** A function of the message alone. A collector's clock that runs ahead is held to the server's. */
export function readPack(message: Pick<StoredMessage, 'subject' | 'sequence' | 'data' | 'time'>): Pack {
  const { receivedAt, reports } = parse(message.data);
  return {
    sequence: message.sequence,
    project: message.subject.slice(PREFIX.length),
    at: Math.min(receivedAt, message.time),
    reports,
  };
}

interface ParsedPack {
  readonly receivedAt: number;
  readonly reports: readonly TelemetryReport[];
}

const EMPTY: ParsedPack = { receivedAt: 0, reports: [] };

/** Only the collector may write here and it writes only what it checked; anything else is nobody's report and counts as none. */
function parse(data: Uint8Array): ParsedPack {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'));
  } catch {
    return EMPTY;
  }
  const { receivedAt, reports } = (value ?? {}) as { receivedAt?: unknown; reports?: unknown };
  if (typeof receivedAt !== 'number' || !Number.isFinite(receivedAt) || !Array.isArray(reports)) return EMPTY;
  return { receivedAt, reports: reports as readonly TelemetryReport[] };
}

/** It can at least be told whose and which report it is. */
export const isReport = (value: unknown): value is TelemetryReport => {
  const { instance, bootId, seq } = (value ?? {}) as Partial<TelemetryReport>;
  return typeof instance === 'string' && typeof bootId === 'string' && Number.isSafeInteger(seq);
};
