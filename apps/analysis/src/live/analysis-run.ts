import { STREAMS, SYSTEM_PROJECT, telemetrySubject } from '@headgate/contracts';
import { isRunning, type Rollout } from '@headgate/domain';
import { type EventStore, keepFollowing, type StoredEvent } from '@headgate/event-store';
import type { Streams } from '@headgate/streams';
import type { Due } from '../rollout/rollout-analysis.js';
import { firstSequenceSince } from '../telemetry/first-sequence-since.js';
import { readPack } from '../telemetry/telemetry-pack.js';
import type { AnalysisArchive } from '../verdict/analysis-archive.js';
import type { AnalysisNote } from './analysis-note.js';
import { MessageQueue } from './message-queue.js';
import { TrackedRollout } from './tracked-rollout.js';
import { VerdictGiver } from './verdict-giver.js';
import { WakeUp } from './wake-up.js';

export interface AnalysisOptions {
  readonly store: Pick<EventStore, 'follow' | 'project' | 'handle'>;
  readonly streams: Pick<
    Streams,
    'follow' | 'readRange' | 'info' | 'get' | 'publishCore' | 'status' | 'onReconnect'
  >;
  readonly archive: AnalysisArchive;
  readonly now: () => number;
  /** How far behind the clock analysis works, so that packs and facts of one time are all there before it is judged. */
  readonly settleMs?: number;
  /** Between a failed try and the next. */
  readonly pause: (signal: AbortSignal) => Promise<void>;
  readonly onNote?: (note: AnalysisNote) => void;
}

const SETTLE_MS = 200;
/** After a lost connection the first deliveries take a moment; an empty queue then says nothing. */
const RECONNECT_SETTLE_MS = 2_000;
const LONGEST_SLEEP_MS = 250;
const NOT_CURRENT_SLEEP_MS = 50;

/**
 * Follows the log and TELEMETRY and judges every running rollout. All it knows is rebuilt from the two streams: a restart goes on
 * in the middle of a step, and what was said before is not said again.
 */
export class AnalysisRun {
  readonly #options: AnalysisOptions;
  readonly #giver: VerdictGiver;
  readonly #stop = new AbortController();
  readonly #wake = new WakeUp();
  readonly #dirty = new Set<string>();
  readonly #tracked = new Map<string, TrackedRollout>();
  #isLogRead = false;
  #isCurrent = false;
  #isIdle = false;
  #reconnectedAt = Number.NEGATIVE_INFINITY;
  /** Newest message of TELEMETRY that was worked through. */
  #sequence = 0;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: AnalysisOptions) {
    this.#options = options;
    this.#giver = new VerdictGiver({ ...options, onNote: (note) => options.onNote?.(note) });
  }

  /** Log and TELEMETRY are read to their ends: looks are made on time. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  /** Newest message of TELEMETRY that was worked through. */
  get workedThrough(): number {
    return this.#sequence;
  }

  /** Nothing is left to do at this time of the clock. */
  get isIdle(): boolean {
    return this.#isIdle && this.#dirty.size === 0;
  }

  get rollouts(): number {
    return this.#tracked.size;
  }

  get rows(): number {
    return [...this.#tracked.values()].reduce((sum, { analysis }) => sum + analysis.rows, 0);
  }

  get leftOut(): number {
    return [...this.#tracked.values()].reduce((sum, { analysis }) => sum + analysis.leftOut, 0);
  }

  start(): void {
    const { store, streams, pause, now } = this.#options;
    const { signal } = this.#stop;
    const stopListening = streams.onReconnect(() => {
      this.#reconnectedAt = now();
    });
    signal.addEventListener('abort', stopListening, { once: true });
    const following = keepFollowing({
      store,
      signal,
      pause,
      onEvent: (stored) => this.#notice(stored),
      onCaughtUp: () => {
        this.#isLogRead = true;
        this.#wake.call();
      },
      onFault: (cause) => this.#note({ kind: 'fault', cause }),
    });
    this.#running = Promise.all([following, this.#run()]);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake.call();
    await this.#running;
  }

  #notice({ event }: StoredEvent): void {
    if (event.project === SYSTEM_PROJECT || event.kind !== 'rollout') return;
    this.#dirty.add(event.project);
    this.#wake.call();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#session();
      } catch (cause) {
        // Another TELEMETRY than the one read, or none: everything is made anew from what there is.
        this.#note({ kind: 'fault', cause });
        for (const { analysis } of this.#tracked.values()) this.#dirty.add(analysis.project);
        this.#tracked.clear();
        this.#isCurrent = false;
        await this.#options.pause(signal);
      }
    }
  }

  async #session(): Promise<void> {
    const { streams } = this.#options;
    const { signal } = this.#stop;
    while (!this.#isLogRead && !signal.aborted) await this.#wake.sleep(LONGEST_SLEEP_MS);
    const last = (await streams.info(STREAMS.telemetry))?.lastSequence ?? 0;
    this.#sequence = last;
    const queue = new MessageQueue(streams.follow(STREAMS.telemetry, { from: last + 1 }), this.#wake.call);
    try {
      while (!signal.aborted) {
        await this.#readDirty();
        this.#isIdle = false;
        if (await this.#advance(queue)) continue;
        this.#isIdle = this.#isCurrent;
        await this.#wake.sleep(this.#sleepMs());
      }
    } finally {
      await queue.close();
    }
  }

  /** One message or one act; false when there is nothing to do yet. */
  async #advance(queue: MessageQueue): Promise<boolean> {
    const horizon = this.#options.now() - (this.#options.settleMs ?? SETTLE_MS);
    const message = queue.peek();
    if (message && message.time <= horizon) {
      const project = message.subject.slice(telemetrySubject('').length);
      const tracked = [...this.#tracked.values()].filter(({ analysis }) => analysis.project === project);
      if (tracked.length > 0) {
        const pack = readPack(message);
        for (const rollout of tracked) {
          const due = rollout.dueBefore(pack);
          if (due) {
            await this.#perform(rollout, due);
            return true;
          }
        }
        for (const rollout of tracked) rollout.take(pack);
      }
      this.#sequence = message.sequence;
      queue.shift();
      return true;
    }
    this.#isCurrent = this.#hasAllUntil(horizon, queue);
    if (!this.#isCurrent) return false;
    for (const rollout of this.#tracked.values()) {
      const due = rollout.dueBy(horizon);
      if (!due) continue;
      await this.#perform(rollout, due);
      return true;
    }
    return false;
  }

  /** True when no pack from before `horizon` can still be on its way. */
  #hasAllUntil(horizon: number, queue: MessageQueue): boolean {
    if (queue.peek()) return true;
    const { streams } = this.#options;
    return (
      queue.isCaughtUp &&
      streams.status === 'connected' &&
      horizon >= this.#reconnectedAt + RECONNECT_SETTLE_MS
    );
  }

  async #perform(tracked: TrackedRollout, due: Due): Promise<void> {
    const { analysis } = tracked;
    const { now } = this.#options;
    const startedAt = now();
    const done = tracked.perform(due);
    if (done.kind === 'look') {
      const rolloutId = analysis.rollout.id;
      this.#note({ kind: 'looked', project: analysis.project, rolloutId, tookMs: now() - startedAt });
      // Looks made up for after a restart are no news to those who watch.
      if (due.at > startedAt - RECONNECT_SETTLE_MS)
        this.#giver.show(analysis.project, analysis.rollout, done);
    }
    const isSent = await this.#steadily(() => this.#giver.tell(analysis.project, analysis.rollout, done));
    if (isSent) await this.#steadily(() => this.#read(analysis.project));
  }

  async #readDirty(): Promise<void> {
    for (const project of [...this.#dirty]) {
      this.#dirty.delete(project);
      await this.#steadily(() => this.#read(project));
    }
  }

  /** Takes in how the log has the project's rollouts now. */
  async #read(project: string): Promise<void> {
    const { state } = await this.#options.store.project(project);
    const rollouts = new Map(state.rollouts);
    for (const [id, tracked] of this.#tracked) {
      if (tracked.analysis.project !== project) continue;
      const rollout = rollouts.get(id);
      if (!rollout || !isRunning(rollout)) this.#tracked.delete(id);
      else tracked.analysis.update(rollout);
    }
    for (const rollout of rollouts.values()) {
      if (!isRunning(rollout)) continue;
      const tracked = this.#tracked.get(rollout.id);
      if (!tracked || tracked.hasPassedItsPlan) await this.#rebuild(project, rollout);
    }
  }

  /** From the rollout's request to where TELEMETRY has been worked through, with every act in its place. */
  async #rebuild(project: string, rollout: Rollout): Promise<void> {
    const { streams } = this.#options;
    const upTo = this.#sequence;
    const from = await firstSequenceSince(streams, STREAMS.telemetry, rollout.requestedAt);
    const tracked = new TrackedRollout(project, rollout, from);
    this.#tracked.set(rollout.id, tracked);
    if (from > upTo) return;
    const filter = telemetrySubject(project);
    try {
      for await (const message of streams.readRange(STREAMS.telemetry, { filter, from })) {
        if (message.sequence > upTo || this.#stop.signal.aborted) break;
        const pack = readPack(message);
        for (let due = tracked.dueBefore(pack); due; due = tracked.dueBefore(pack))
          await this.#perform(tracked, due);
        tracked.take(pack);
      }
    } catch (cause) {
      // Half a past is worse than none: the next try begins at the beginning.
      this.#tracked.delete(rollout.id);
      throw cause;
    }
  }

  /** A log that is away for a while costs time and nothing else. */
  async #steadily<T>(attempt: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        return await attempt();
      } catch (cause) {
        this.#note({ kind: 'fault', cause });
        await this.#options.pause(signal);
      }
    }
    return undefined;
  }

  #sleepMs(): number {
    if (!this.#isCurrent) return NOT_CURRENT_SLEEP_MS;
    const horizon = this.#options.now() - (this.#options.settleMs ?? SETTLE_MS);
    let until = LONGEST_SLEEP_MS;
    for (const { analysis } of this.#tracked.values())
      until = Math.min(until, Math.max(5, (analysis.due()?.at ?? Number.POSITIVE_INFINITY) - horizon));
    return until;
  }

  #note(note: AnalysisNote): void {
    this.#options.onNote?.(note);
  }
}
