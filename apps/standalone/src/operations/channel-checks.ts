import { setTimeout as wait } from 'node:timers/promises';
import { readChannel } from '@headgate/channel-stream';
import { type FlagDocument, STREAMS, SYSTEM_PROJECT } from '@headgate/contracts';
import type { Flag, ProjectState } from '@headgate/domain';
import type { EventStore } from '@headgate/event-store';
import type { Streams } from '@headgate/streams';

export interface ChannelCheck {
  readonly name: string;
  readonly ok: boolean | null;
  readonly detail: string;
}

export interface CheckedChannels {
  readonly store: Pick<EventStore, 'read' | 'project'>;
  /** Of a role that may read FLAGS. */
  readonly streams: Streams;
  readonly pin: string;
  readonly now: () => number;
  /** Between two looks at a channel that is behind: the publisher may be at it. */
  readonly pause?: () => Promise<unknown>;
}

const LOOKS = 15;
const LOOK_MS = 200;
const NAMED = 5;

/** Whether readers that hold nothing but the pin get of each channel what the log says. Asks FLAGS, not the publisher. */
export const channelChecks = async (parts: CheckedChannels): Promise<readonly ChannelCheck[]> => {
  try {
    const projects = new Set<string>();
    for await (const { event } of parts.store.read()) projects.add(event.project);
    projects.delete(SYSTEM_PROJECT);
    const checks: ChannelCheck[] = [];
    for (const project of [...projects].sort()) {
      const channels = [...(await parts.store.project(project)).state.channels.keys()].sort();
      for (const channel of channels) checks.push(await channelCheck(parts, project, channel));
    }
    return checks;
  } catch (cause) {
    return [{ name: 'channels', ok: null, detail: `unknown: ${(cause as Error).message}` }];
  }
};

const channelCheck = async (
  { store, streams, pin, now, pause = () => wait(LOOK_MS) }: CheckedChannels,
  project: string,
  channel: string,
): Promise<ChannelCheck> => {
  const name = `channel ${project}/${channel}`;
  for (let look = 1; ; look += 1) {
    const { reader } = await readChannel({ project, channel, streams, stream: STREAMS.flags, pin, now });
    const { state, head } = await store.project(project);
    const behind = flagsBehind(state, channel, reader.state?.documents ?? new Map());
    const published = reader.tip?.h;
    if (published !== undefined && behind.length === 0)
      return { name, ok: true, detail: `commit ${published.n} says what the log says` };
    if (look < LOOKS) {
      await pause();
      continue;
    }
    if (published === undefined)
      return { name, ok: false, detail: 'nothing that a reader can verify is published' };
    const newest = Math.max(...behind.map(({ position }) => position));
    const keys = behind.slice(0, NAMED).map(({ key }) => `"${key}"`);
    const more = behind.length > NAMED ? ` and ${behind.length - NAMED} more` : '';
    const detail = `does not follow the log: ${keys.join(', ')}${more} as of position ${newest} (log: ${head?.position ?? 0}) not published; commit ${published.n} covers position ${published.position}`;
    return { name, ok: false, detail };
  }
};

/** Flags of which the channel says something older than the log, or nothing, or something although they have ended. */
const flagsBehind = (
  state: ProjectState,
  channel: string,
  documents: ReadonlyMap<string, FlagDocument>,
): readonly Flag[] =>
  [...state.flags.values()].filter((flag) => {
    if (flag.channel !== channel) return false;
    const document = documents.get(flag.id);
    if (flag.status === 'archived') return document !== undefined;
    return document?.epoch !== flag.epoch || document.position < flag.position;
  });
