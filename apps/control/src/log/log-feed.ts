import { setTimeout as wait } from 'node:timers/promises';
import { SYSTEM_PROJECT } from '@headgate/contracts';
import { type EventStore, keepFollowing, type StoredEvent } from '@headgate/event-store';
import type { HealthRegistry, Log } from '@headgate/service-kit';

export type EventListener = (event: StoredEvent['event']) => void;

const RETRY_MS = 1_000;

/**
 * One follower of the whole log for everybody in this process who wants to know what changed and which projects there are. Takes up
 * again by itself after a fault; while it cannot, the service says that it is not ready.
 */
export class LogFeed {
  private readonly known = new Set<string>();
  /** Stream sequence of the newest event taken. */
  private newest = 0;
  private readonly listeners = new Map<string, Set<EventListener>>();
  private readonly stopped = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private fault: string | null = null;
  private caughtUp!: () => void;
  private readonly firstCatchUp = new Promise<void>((resolve) => {
    this.caughtUp = resolve;
  });

  constructor(
    private readonly store: Pick<EventStore, 'follow' | 'read'>,
    private readonly log: Log,
    health: HealthRegistry,
  ) {
    health.ready('log-feed', () => (this.fault === null ? { ok: true } : { ok: false, detail: this.fault }));
  }

  start(): void {
    this.running = keepFollowing({
      store: this.store,
      signal: this.stopped.signal,
      onEvent: ({ event, streamSequence }) => {
        this.newest = streamSequence;
        this.take(event);
      },
      onCaughtUp: () => {
        this.fault = null;
        this.caughtUp();
      },
      onFault: (cause) => {
        this.fault = cause instanceof Error ? cause.message : String(cause);
        this.log.warn('following the log failed; trying again', { error: cause });
      },
      pause: (signal) => wait(RETRY_MS, undefined, { signal }).catch(() => undefined),
    });
  }

  /** Slugs of all projects as of this call: what was acknowledged and has not been delivered here yet is read from the log. */
  async projects(): Promise<ReadonlySet<string>> {
    await this.firstCatchUp;
    for await (const { event } of this.store.read({ from: this.newest + 1 })) this.know(event.project);
    return this.known;
  }

  /** Calls `listener` for every event of the project from now on; the returned function ends that. */
  listen(project: string, listener: EventListener): () => void {
    const listeners = this.listeners.get(project) ?? new Set();
    listeners.add(listener);
    this.listeners.set(project, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.listeners.delete(project);
    };
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  private take(event: StoredEvent['event']): void {
    this.know(event.project);
    for (const listener of this.listeners.get(event.project) ?? []) listener(event);
  }

  private know(project: string): void {
    if (project !== SYSTEM_PROJECT) this.known.add(project);
  }
}
