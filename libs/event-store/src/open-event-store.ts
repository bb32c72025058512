import { mkdir } from 'node:fs/promises';
import { type Acknowledged, commandId, projectLogFilter, projectName, STREAMS } from '@headgate/contracts';
import { type Command, CommandRefused, commandFingerprint } from '@headgate/domain';
import type { Streams } from '@headgate/streams';
import { canonicalJson, sha256Hex } from '@headgate/trust';
import { LogUnavailable } from './errors.js';
import type {
  CommandMeta,
  EventStore,
  FoldedProject,
  FollowCheckpoint,
  FollowedLog,
  StoredEvent,
  WriteGuards,
} from './event-store.js';
import { LogFollower } from './follow-log.js';
import { handleCommand } from './handle-command.js';
import { insist } from './insist.js';
import { ProjectChain } from './project-chain.js';
import { readLog } from './read-log.js';

export interface EventStoreOptions {
  readonly streams: Streams;
  /** Milliseconds since the Unix epoch. */
  readonly clock: () => number;
  /** A new UUIDv7. */
  readonly newId: () => string;
  /** 16 random bytes in lower-case hex. */
  readonly newSalt: () => string;
  /** 0 to 1, for the jitter between tries. */
  readonly random?: () => number;
  /** Where folds are kept between starts. None: every start folds the log from its beginning. */
  readonly snapshotDir?: string;
  readonly snapshotEveryEvents?: number;
  readonly guards?: WriteGuards;
  /** Epoch of the first event of a project; default 1. */
  readonly firstEpoch?: number;
  /** How long `handle` goes on trying when the log is away or contended; default 10 s. */
  readonly patienceMs?: number;
  readonly warn?: (message: string) => void;
}

const DEFAULT_PATIENCE_MS = 10_000;
const DEFAULT_SNAPSHOT_EVERY = 1_000;
const MAX_TEXT = 200;

/** Opens the log over streams that are already declared. Throws `LogUnavailable` when there is none. */
export const openEventStore = async (options: EventStoreOptions): Promise<EventStore> => {
  if (options.snapshotDir !== undefined) await mkdir(options.snapshotDir, { recursive: true, mode: 0o700 });
  const log = await options.streams.info(STREAMS.log).catch((cause: Error) => {
    throw new LogUnavailable(cause.message, { cause });
  });
  if (log === null)
    throw new LogUnavailable('stream LOG does not exist: declare the installation first, or restore it');
  return new StreamEventStore(options);
};

class StreamEventStore implements EventStore {
  private readonly chains = new Map<string, ProjectChain>();
  private readonly reads = new Map<string, Promise<FoldedProject>>();
  private readonly followers = new Set<FollowedLog>();
  private readonly warn: (message: string) => void;

  constructor(private readonly options: EventStoreOptions) {
    this.warn = options.warn ?? (() => {});
  }

  async project(name: string): Promise<FoldedProject> {
    // Whoever asks before a read has begun shares it: all of them get a state that is newer than their question.
    const waiting = this.reads.get(name);
    if (waiting !== undefined) return waiting;
    const chain = this.chainOf(name);
    const read = chain.queue.run(
      async () => {
        this.reads.delete(name);
        await chain.refresh();
        return { state: chain.state, head: chain.head };
      },
      { urgent: true },
    );
    chain.users += 1;
    const shared = read.finally(() => this.leave(chain));
    this.reads.set(name, shared);
    return shared;
  }

  async handle(command: Command, meta: CommandMeta): Promise<Acknowledged> {
    checkMeta(meta);
    const chain = this.chainOf(command.project);
    const { clock, newId, newSalt } = this.options;
    const order = {
      commandId: meta.commandId,
      commandDigest: sha256Hex(canonicalJson(commandFingerprint(command))),
      actor: meta.actor,
      causationId: meta.causationId ?? '',
      correlationId: meta.correlationId ?? '',
      ...(meta.epoch === undefined ? {} : { epoch: meta.epoch }),
    };
    const attempt = () =>
      handleCommand(chain, command, { ...order, now: clock(), eventId: newId(), salt: newSalt() });
    chain.users += 1;
    try {
      return await insist(chain, attempt, {
        patienceMs: this.options.patienceMs ?? DEFAULT_PATIENCE_MS,
        random: this.options.random ?? Math.random,
        // A kill overtakes whatever else waits for this project.
        urgent: command.type === 'kill-flag',
      });
    } finally {
      this.leave(chain);
    }
  }

  read(options: { readonly project?: string; readonly from?: number } = {}): AsyncIterable<StoredEvent> {
    const { project, from } = options;
    return readLog(this.options.streams, {
      from: from ?? 0,
      ...(project === undefined ? {} : { filter: projectLogFilter(nameOf(project)) }),
    });
  }

  follow({ from }: { readonly from: FollowCheckpoint | null }): FollowedLog {
    const follower = new LogFollower(this.options.streams, from, this.warn);
    this.followers.add(follower);
    follower.ended.then(() => this.followers.delete(follower));
    return follower;
  }

  async close(): Promise<void> {
    await Promise.all([...this.followers].map((follower) => follower.close()));
    await Promise.all(
      [...this.chains.values()].map((chain) => chain.queue.run(() => chain.close(), { urgent: false })),
    );
  }

  private chainOf(project: string): ProjectChain {
    const known = this.chains.get(project);
    if (known !== undefined) return known;
    const { streams, guards, firstEpoch, snapshotDir, snapshotEveryEvents } = this.options;
    const chain = new ProjectChain(nameOf(project), {
      streams,
      guards: guards ?? {},
      firstEpoch: firstEpoch ?? 1,
      snapshotDir: snapshotDir ?? null,
      snapshotEvery: snapshotEveryEvents ?? DEFAULT_SNAPSHOT_EVERY,
      warn: this.warn,
    });
    this.chains.set(project, chain);
    return chain;
  }

  /** Asking for projects that do not exist must not fill our memory. */
  private leave(chain: ProjectChain): void {
    chain.users -= 1;
    if (chain.isUnused) this.chains.delete(chain.project);
  }
}

/** The name becomes a part of a subject and of a file name. */
const nameOf = (project: string): string => {
  const name = projectName.safeParse(project);
  if (!name.success)
    throw new CommandRefused(
      'invalid-input',
      `"${project.slice(0, 80)}" is no project's name: ${name.error.issues[0]?.message}`,
    );
  return name.data;
};

const checkMeta = (meta: CommandMeta): void => {
  const refuse = (what: string) => {
    throw new CommandRefused('invalid-input', what);
  };
  if (!commandId.safeParse(meta.commandId).success) refuse('the command id must be a UUID in lower case');
  if (meta.actor.length === 0 || meta.actor.length > MAX_TEXT)
    refuse(`the actor must have 1 to ${MAX_TEXT} characters`);
  for (const text of [meta.causationId, meta.correlationId])
    if (text !== undefined && text.length > MAX_TEXT)
      refuse(`causation and correlation ids have at most ${MAX_TEXT} characters`);
};
