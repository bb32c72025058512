import { declareInstallation, type MemoryStreams, openMemoryStreams } from '@headgate/streams';
import type { EventStore } from './event-store.js';
import { type EventStoreOptions, openEventStore } from './open-event-store.js';

/** The twin for specs: the same store over streams in memory. Both are handed out, so that a spec can break the streams. */
export const openMemoryEventStore = async (
  options: Omit<EventStoreOptions, 'streams'>,
): Promise<{ readonly store: EventStore; readonly streams: MemoryStreams }> => {
  const streams = openMemoryStreams({ now: options.clock });
  await declareInstallation(streams, { now: options.clock() });
  return { store: await openEventStore({ ...options, streams }), streams };
};
