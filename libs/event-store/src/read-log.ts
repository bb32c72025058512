import { type LogPosition, STREAMS } from '@headgate/contracts';
import type { Streams } from '@headgate/streams';
import type { StoredEvent } from './event-store.js';
import { readEnvelope, readEvent } from './read-event.js';

/**
 * Events to what is the tail when it starts. Each is checked against the one before it of its project; the first of a project
 * only in itself when reading begins in the middle.
 */
export async function* readLog(
  streams: Streams,
  options: { readonly filter?: string; readonly from: number },
): AsyncIterable<StoredEvent> {
  const heads = new Map<string, LogPosition>();
  for await (const message of streams.readRange(STREAMS.log, options)) {
    const envelope = readEnvelope(message);
    const previous = heads.get(envelope.project) ?? (options.from > 0 ? undefined : null);
    const event = readEvent(message, envelope, previous);
    heads.set(event.project, { epoch: event.epoch, position: event.position, hash: event.hash });
    yield { event, streamSequence: message.sequence, written: message.data };
  }
}
