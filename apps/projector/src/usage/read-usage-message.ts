import { gatewayUsage, instanceReport, telemetrySubject } from '@headgate/contracts';
import type { ServedTotal, UsageReport, UsageSource } from '@headgate/read-model';
import type { StoredMessage } from '@headgate/streams';
import { z } from 'zod';

/** A part of a message, or all of it (no index), that cannot be read. */
export interface Unreadable {
  readonly index?: number;
  readonly error: string;
  readonly text: string;
}

export interface UsageMessage {
  /** When it was received; a collector's clock that runs ahead is held to the server's. */
  readonly at: number;
  readonly reports: readonly UsageReport[];
  readonly unreadable: readonly Unreadable[];
}

const pack = z.object({
  receivedAt: z.number(),
  reports: z.array(z.unknown()).optional(),
  usage: z.array(z.unknown()).optional(),
});
// Only what is counted here: whatever else a newer reporter says is not ours to judge.
const { project, channel, instance, bootId, seq, flags, exposures, unknownFlags } = instanceReport.shape;
const reported = z.object({ project, channel, instance, bootId, seq, flags, exposures, unknownFlags });
const { gateway, asked, listed } = gatewayUsage.shape;
const gatewayReported = z.object({ project, channel, gateway, bootId, seq, asked, listed, unknownFlags });

/** What one message of TELEMETRY says of the use of flags. Never throws: a report that cannot be read must not hold up the next. */
export const readUsageMessage = (message: Pick<StoredMessage, 'subject' | 'data' | 'time'>): UsageMessage => {
  const text = Buffer.from(message.data).toString('utf8');
  const packed = parsePack(text);
  if (typeof packed === 'string')
    return { at: message.time, reports: [], unreadable: [{ error: packed, text }] };
  const at = Math.min(Math.floor(packed.receivedAt), message.time);
  const owner = message.subject.slice(telemetrySubject('').length);
  const parts = [
    ...(packed.reports ?? []).map((one) => ({ one, read: readInstance })),
    ...(packed.usage ?? []).map((one) => ({ one, read: readGateway })),
  ];
  const reports: UsageReport[] = [];
  const unreadable: Unreadable[] = [];
  for (const [index, { one, read }] of parts.entries()) {
    const report = read(one, at);
    const error =
      typeof report === 'string' ? report : report.project === owner ? null : `project: is not "${owner}"`;
    if (error !== null) unreadable.push({ index, error, text: JSON.stringify(one) });
    else reports.push(report as UsageReport);
  }
  return { at, reports, unreadable };
};

const parsePack = (text: string): z.infer<typeof pack> | string => {
  try {
    const parsed = pack.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : whatIsWrong(parsed.error);
  } catch (cause) {
    return (cause as Error).message;
  }
};

const readInstance = (value: unknown, at: number): UsageReport | string => {
  const { success, data, error } = reported.safeParse(value);
  if (!success) return whatIsWrong(error);
  const { exposures: served, flags: current, unknownFlags: unknown = [], ...identity } = data;
  return {
    ...identity,
    at,
    served: served ? totals('instance', served) : current.map(uncounted),
    unknownFlags: unknown,
  };
};

const readGateway = (value: unknown, at: number): UsageReport | string => {
  const { success, data, error } = gatewayReported.safeParse(value);
  if (!success) return whatIsWrong(error);
  const {
    gateway: name,
    asked: wanted = [],
    listed: handed = [],
    unknownFlags: unknown = [],
    ...rest
  } = data;
  const served = [...totals('gateway', wanted), ...totals('list', handed)];
  return { ...rest, instance: name, at, served, unknownFlags: unknown };
};

/** An SDK of version 0.1 says what it serves and not how often. */
const uncounted = ({ name, value }: { readonly name: string; readonly value: string }): ServedTotal => ({
  source: 'instance',
  flag: name,
  variant: value,
  count: 0,
});

const totals = (
  source: UsageSource,
  served: NonNullable<z.infer<typeof exposures>>,
): readonly ServedTotal[] =>
  served.map(({ flag, variant = '', count }) => ({ source, flag, variant, count }));

const whatIsWrong = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.join('.') || 'the message'}: ${message}`)
    .join('; ');
