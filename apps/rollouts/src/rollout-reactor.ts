import { SYSTEM_PROJECT } from '@headgate/contracts';
import { type Command, CommandRefused, nextRolloutCommand } from '@headgate/domain';
import { deriveCommandId, type EventStore, keepFollowing, type StoredEvent } from '@headgate/event-store';

export interface ReactorOptions {
  readonly store: Pick<EventStore, 'follow' | 'project' | 'handle'>;
  readonly pause: (signal: AbortSignal) => Promise<void>;
  /** Told what it did, what was refused, and what failed and will be tried again. */
  readonly onNote?: (note: ReactorNote) => void;
}

export type ReactorNote =
  | { readonly kind: 'sent'; readonly command: Command; readonly repeated: boolean }
  | { readonly kind: 'refused'; readonly command: Command; readonly code: string }
  | { readonly kind: 'fault'; readonly cause: unknown };

/**
 * Turns verdicts, kills and plans into the commands that follow from them. It holds no state of its own: what to do next is read
 * from the fold each time, and each conclusion has one command id, so a restart or a second reactor changes nothing.
 */
export class RolloutReactor {
  readonly #options: ReactorOptions;
  readonly #stop = new AbortController();
  /** Projects in which something happened since they were looked at. */
  readonly #dirty = new Set<string>();
  #wake: (() => void) | null = null;
  #isCaughtUp = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: ReactorOptions) {
    this.#options = options;
  }

  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  start(): void {
    const { store, pause } = this.#options;
    const following = keepFollowing({
      store,
      pause,
      signal: this.#stop.signal,
      onEvent: (stored) => this.#notice(stored),
      onCaughtUp: () => {
        this.#isCaughtUp = true;
        this.#wake?.();
      },
      onFault: (cause) => this.#fault(cause),
    });
    this.#running = Promise.all([following, this.#run()]);
  }

  /** Resolves when the command under way has been answered. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
  }

  #notice({ event }: StoredEvent): void {
    if (event.project === SYSTEM_PROJECT || (event.kind !== 'rollout' && event.kind !== 'flag')) return;
    this.#dirty.add(event.project);
    this.#wake?.();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      // While the past is being read every project is dirty with every event: one look at its end is enough.
      const project = this.#isCaughtUp ? this.#dirty.values().next().value : undefined;
      if (project === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          if (signal.aborted || (this.#isCaughtUp && this.#dirty.size > 0)) resolve();
        });
        continue;
      }
      this.#dirty.delete(project);
      try {
        await this.#react(project);
      } catch (cause) {
        this.#fault(cause);
        this.#dirty.add(project);
        await this.#options.pause(signal);
      }
    }
  }

  async #react(project: string): Promise<void> {
    const { state } = await this.#options.store.project(project);
    const commands: Command[] = [];
    for (const rollout of state.rollouts.values()) {
      const command = nextRolloutCommand(project, rollout, state.flags.get(rollout.flagId));
      if (command) commands.push(command);
    }
    for (const command of commands) {
      if (this.#stop.signal.aborted) return;
      await this.#send(command);
    }
  }

  async #send(command: Command): Promise<void> {
    try {
      const meta = { commandId: commandIdFor(command), actor: 'rollouts' };
      const { repeated } = await this.#options.store.handle(command, meta);
      this.#options.onNote?.({ kind: 'sent', command, repeated });
    } catch (cause) {
      if (!(cause instanceof CommandRefused)) throw cause;
      // Somebody was quicker: a kill, a person, the other reactor. Their event comes, and with it the next look.
      this.#options.onNote?.({ kind: 'refused', command, code: cause.code });
    }
  }

  #fault(cause: unknown): void {
    this.#options.onNote?.({ kind: 'fault', cause });
  }
}

/** One conclusion, one id: from a verdict, from the plan, or from the flag's end. */
const commandIdFor = (command: Command): string => {
  const { type, project } = command;
  switch (command.type) {
    case 'promote-rollout':
    case 'roll-back-rollout':
    case 'stop-rollout':
      return deriveCommandId('rollouts', project, command.rolloutId, type, command.verdictId);
    case 'begin-rollout':
      return deriveCommandId('rollouts', project, command.rolloutId, type);
    case 'abort-rollout':
      return deriveCommandId('rollouts', project, command.rolloutId, type, command.because);
    default:
      throw new Error(`the reactor has no business with "${type}"`);
  }
};
