import { isDeepStrictEqual } from 'node:util';
import { looksSubject, lookView, type RolloutView } from '@headgate/contracts';
import { type EventStream, type FastifyReply, type Log, openEventStream } from '@headgate/service-kit';
import type { ControlParts } from '../control-parts.js';
import type { LogFeed } from '../log/log-feed.js';
import type { Queries } from '../queries/queries.js';

export interface WatchParts {
  readonly queries: Queries;
  readonly feed: LogFeed;
  readonly streams: ControlParts['streams'];
  readonly log: Log;
  readonly until: AbortSignal;
}

/** Sends the rollout now, after each of its facts, and the judge's looks between; ends after the fact that ended the rollout. */
export const watchRollout = async (
  { queries, feed, streams, log, until }: WatchParts,
  { project, rollout: id }: { readonly project: string; readonly rollout: string },
  reply: FastifyReply,
): Promise<void> => {
  const first = await queries.rollout(project, id);
  const stream = openEventStream(reply, until);
  let shown = first;
  let sending = Promise.resolve();
  const show = (): void => {
    // One after the other, so that an older view never follows a newer one.
    sending = sending
      .then(async () => {
        const next = await queries.rollout(project, id);
        if (isDeepStrictEqual(next, shown)) return;
        shown = next;
        sendRollout(stream, next);
      })
      .catch((cause: unknown) => {
        log.warn('a watched rollout could not be read', { rollout: id, error: cause });
        stream.close();
      });
  };
  const stops = [
    feed.listen(project, ({ aggregateId }) => {
      if (aggregateId === id) show();
    }),
    streams?.subscribeCore(looksSubject(project, id), (_subject, data) => sendLook(stream, data)),
  ];
  stream.signal.addEventListener('abort', () => {
    for (const stop of stops) stop?.();
  });
  sendRollout(stream, first);
  // A fact between the first read and the listening above would be missed.
  show();
};

const sendRollout = (stream: EventStream, view: RolloutView): void => {
  stream.send('rollout', view);
  if (view.endedAt !== null) stream.close();
};

const sendLook = (stream: EventStream, data: Uint8Array): void => {
  const look = lookView.safeParse(parseOrNull(data));
  if (look.success) stream.send('look', look.data);
};

const parseOrNull = (data: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(data).toString('utf8')) as unknown;
  } catch {
    return null;
  }
};
