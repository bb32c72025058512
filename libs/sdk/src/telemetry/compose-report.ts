import type { InstanceReport } from '@headgate/contracts';
import type { FlagBook } from '../flags/flag-book.js';
import type { Settings } from '../options/options.js';
import type { Meters } from './meters.js';

export interface ReportSources {
  readonly settings: Settings;
  readonly instance: string;
  readonly bootId: string;
  readonly health: InstanceReport['health'];
  readonly book: FlagBook;
  readonly meters: Meters;
  readonly crash: InstanceReport['crash'];
}

/** Everything that leaves this process about it, but for the report's own number and window. */
export const composeReport = (sources: ReportSources): Omit<InstanceReport, 'seq' | 'window'> => {
  const { settings, instance, bootId, health, book, meters, crash } = sources;
  const { project, channel, version } = settings;
  const exposures = [...book.exposures.counted()];
  const unknownFlags = book.unknownFlags.list();
  return {
    schema: 'headgate.report.v1',
    project,
    channel,
    instance,
    bootId,
    version,
    health,
    flags: [...book.exposures.served()],
    metrics: meters.read(),
    // A collector that is older than these fields takes a report without them.
    ...(exposures.length > 0 && { exposures }),
    ...(unknownFlags.length > 0 && { unknownFlags }),
    ...(crash && { crash }),
  };
};
