import { readChannel } from '@headgate/channel-stream';
import { type FlagDocument, STREAMS } from '@headgate/contracts';
import { type Command, type Flag, isRunning } from '@headgate/domain';
import { deriveCommandId, type EventStore, flagsHeadReader } from '@headgate/event-store';
import type { Streams } from '@headgate/streams';
import { canonicalJson, sha256Hex } from '@headgate/trust';
import { definitionOf, lackingIn } from './restored-flag.js';

export interface ReadoptOptions {
  readonly streams: Streams;
  readonly store: Pick<EventStore, 'project' | 'handle'>;
  /** Of this installation's root: what is adopted again was signed under it. */
  readonly pin: string;
  readonly now: () => number;
}

export interface Readopted {
  readonly project: string;
  /** Begun by this; readers take a head of no other from now on. */
  readonly epoch: number;
  readonly flags: number;
  readonly archived: number;
  readonly aborted: number;
}

const WHY = 'restore: the log lost its tail; taken from the signed documents in FLAGS';

/**
 * After a restore whose archive was behind FLAGS: adopts the newer signed documents again as `flag-restored` events of a new
 * epoch, ends flags that FLAGS no longer has, and aborts their rollouts, whose later steps nobody knows. Kills stay. Returns
 * null when FLAGS shows nothing that the log lacks. Safe to repeat.
 */
export const readoptFlags = async (project: string, options: ReadoptOptions): Promise<Readopted | null> => {
  const { store, streams } = options;
  const { state, head } = await store.project(project);
  if (!head || state.project.status === 'absent') return null;
  const channels = [...state.channels.keys()];
  const seen = await flagsHeadReader(streams)(project, channels);
  if (!seen || (seen.epoch >= head.epoch && seen.position <= head.position)) return null;
  // A head of a later epoch than FLAGS: a restore was cut short, or its publisher has not run yet.
  const epoch = head.epoch > seen.epoch ? head.epoch : seen.epoch + 1;
  const isOld = (flag: Flag): boolean => flag.epoch <= seen.epoch;
  const commands: Command[] = [];
  for (const channel of channels) {
    const documents = await verifiedDocuments(project, channel, options);
    const newer = [...documents.values()].filter(({ flagId, position }) => {
      const flag = state.flags.get(flagId);
      return !flag || (isOld(flag) && position > flag.position);
    });
    for (const document of lackingIn(state, project, newer)) {
      const { flagId } = document;
      commands.push({ type: 'restore-flag', project, flagId, restored: restoredFrom(document) });
    }
    for (const flag of state.flags.values())
      if (flag.channel === channel && flag.status !== 'archived' && isOld(flag) && !documents.has(flag.id))
        commands.push({ type: 'archive-flag', project, flagId: flag.id, why: WHY });
  }
  const touched = new Set(commands.map((command) => ('flagId' in command ? command.flagId : '')));
  for (const rollout of state.rollouts.values())
    if (isRunning(rollout) && (touched.has(rollout.flagId) || !state.flags.get(rollout.flagId)?.split))
      commands.push({ type: 'abort-rollout', project, rolloutId: rollout.id, because: 'person', why: WHY });
  if (commands.length === 0) return null;
  await carryOut(commands, epoch, store);
  const count = (type: Command['type']): number => commands.filter((command) => command.type === type).length;
  return {
    project,
    epoch,
    flags: count('restore-flag'),
    archived: count('archive-flag'),
    aborted: count('abort-rollout'),
  };
};

/** Ids follow from the content, so that a restore cut short goes on where it was. */
const carryOut = async (
  commands: readonly Command[],
  epoch: number,
  store: Pick<EventStore, 'handle'>,
): Promise<void> => {
  for (const command of commands)
    await store.handle(command, {
      commandId: deriveCommandId('readopt-flags', epoch, sha256Hex(canonicalJson(command))),
      actor: 'restore',
      epoch,
    });
};

const verifiedDocuments = async (
  project: string,
  channel: string,
  { streams, pin, now }: ReadoptOptions,
): Promise<ReadonlyMap<string, FlagDocument>> => {
  const { reader } = await readChannel({ streams, stream: STREAMS.flags, project, channel, pin, now });
  const state = reader.signedState();
  return new Map(state?.documents.map((document) => [document.flagId, document]));
};

const restoredFrom = (document: FlagDocument) => {
  const { channel, key, killed, epoch, position } = document;
  const definition = definitionOf(document);
  return { channel, key, definition, ...(killed ? { killed } : {}), from: { epoch, position }, why: WHY };
};
