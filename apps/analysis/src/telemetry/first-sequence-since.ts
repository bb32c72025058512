import type { Streams } from '@headgate/streams';

/** The first sequence whose message was stored at or after `time`, by bisection; one past the last when there is none. */
export async function firstSequenceSince(
  streams: Pick<Streams, 'info' | 'get'>,
  stream: string,
  time: number,
): Promise<number> {
  const info = await streams.info(stream);
  if (!info || info.messages === 0) return (info?.lastSequence ?? 0) + 1;
  let low = info.firstSequence;
  let high = info.lastSequence + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const message = await streams.get(stream, middle);
    // Gone meanwhile: only the oldest go.
    if (message === null || message.time < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
