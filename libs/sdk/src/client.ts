import type { InstanceReport } from '@headgate/contracts';
import type { Evaluation, EvaluationContext } from '@headgate/evaluation';
import { VerifiedChannel } from './channel/verified-channel.js';
import type { Environment } from './environment.js';
import { FlagBook } from './flags/flag-book.js';
import { type FlagValue, resolveDetails } from './flags/resolve-details.js';
import type { FlagDetails, FlagsChanged, Headgate, HeadgateStatus } from './headgate.js';
import { instanceOf, saltOf } from './options/identity.js';
import type { Settings } from './options/options.js';
import { describe } from './options/read-options.js';
import { FreshnessWatch } from './status/freshness-watch.js';
import { Listeners } from './status/listeners.js';
import { Problems } from './status/problems.js';
import { Waiters } from './status/waiters.js';
import { ChannelFollower, type Reception } from './stream/channel-follower.js';
import type { ServerSentEvent } from './stream/sse-parser.js';
import { composeReport } from './telemetry/compose-report.js';
import { CrashBook } from './telemetry/crash-book.js';
import { type Counter, type Gauge, Meters } from './telemetry/meters.js';
import { Reporter } from './telemetry/reporter.js';

export interface Asked<T> {
  readonly key: string;
  readonly fallback: T;
  readonly type: string;
  readonly evaluate: () => Evaluation | undefined;
}

/** Everything of one `connectHeadgate`: the verified channel, what follows it, the flags in force, and the reports. */
export class HeadgateClient implements Headgate {
  private readonly problems: Problems;
  private readonly changes: Listeners<FlagsChanged>;
  private readonly statuses: Listeners<HeadgateStatus>;
  private readonly meters: Meters;
  private readonly instance: string;
  private readonly bootId: string;
  private readonly book: FlagBook;
  private readonly held: VerifiedChannel;
  private readonly freshness: FreshnessWatch;
  private readonly follower: ChannelFollower;
  private readonly reporter: Reporter | null = null;
  private readonly crashes: CrashBook | null = null;
  private readonly waiters = new Waiters();
  private connection: HeadgateStatus['connection'] = 'connecting';
  private reportedHealth: InstanceReport['health'] = 'ok';
  private closing: Promise<void> | null = null;

  constructor(
    private readonly settings: Settings,
    private readonly environment: Environment,
  ) {
    const { now, random, newId } = environment;
    this.problems = new Problems(now);
    const complain = (code: string) => (message: string) => this.complain(code, message);
    const ignored = complain('listener-ignored');
    this.changes = new Listeners((error) => this.complain('listener-threw', describe(error)), ignored);
    this.statuses = new Listeners((error) => this.complain('listener-threw', describe(error)), ignored);
    this.meters = new Meters(now, complain('metric-ignored'));
    this.bootId = newId();
    this.instance = instanceOf(saltOf(settings, newId, complain), settings.instanceId);
    this.book = new FlagBook(now, this.baseContext(), complain('rollout-unjudgeable'));
    this.held = new VerifiedChannel({
      settings,
      bootId: this.bootId,
      now,
      random,
      book: this.book,
      onChanged: (change) => this.afterChange(change),
      onLive: () => this.afterLive(),
      complain: (code, message) => this.complain(code, message),
    });
    this.freshness = new FreshnessWatch({
      now,
      read: () => this.held.freshness.status,
      expiresAt: () => this.held.expiresAt,
      onChanged: () => this.emitStatus(),
    });
    if (settings.reportsUrl !== null) {
      this.crashes = new CrashBook({
        directory: settings.dataDir,
        name: `${settings.project}.${settings.channel}`,
        bootId: this.bootId,
        now,
        complain: complain('crash-untold'),
      });
      this.reporter = new Reporter({
        url: settings.reportsUrl,
        token: settings.token,
        now,
        random,
        reportEveryMs: settings.reportEveryMs,
        read: (seq) => this.report(seq),
        onAccepted: (seq) => this.crashes?.accepted(seq),
        onProblem: (code, message) => this.complain(code, message),
      });
      this.reporter.setInterval(this.book.reportEveryMs);
    }
    this.follower = new ChannelFollower({
      url: settings.flagsUrl,
      token: settings.token,
      pollEveryMs: settings.pollEveryMs,
      now,
      random,
      lastEventId: () => this.held.lastEventId,
      receive: (event) => this.receive(event),
      onConnection: (connection) => this.setConnection(connection),
      onProblem: (code, message) => this.complain(code, message),
    });
    this.follower.start();
  }

  boolean(key: string, fallback: boolean, context?: EvaluationContext): boolean {
    const value = this.valueOf(key, 'boolean', context);
    return typeof value === 'boolean' ? value : fallback;
  }

  string(key: string, fallback: string, context?: EvaluationContext): string {
    const value = this.valueOf(key, 'string', context);
    return typeof value === 'string' ? value : fallback;
  }

  number(key: string, fallback: number, context?: EvaluationContext): number {
    const value = this.valueOf(key, 'number', context);
    return typeof value === 'number' ? value : fallback;
  }

  object<T extends object>(key: string, fallback: T, context?: EvaluationContext): T {
    const value = this.valueOf(key, 'object', context);
    return typeof value === 'object' && value !== null ? (value as T) : fallback;
  }

  details<T extends FlagValue>(key: string, fallback: T, context?: EvaluationContext): FlagDetails<T> {
    const type = typeof fallback;
    return this.detailsOf({ key, fallback, type, evaluate: () => this.evaluate(key, type, context) });
  }

  /** What `details` explains, counted. Throws what a context's own code throws. */
  evaluate(key: string, type: string, context: EvaluationContext | undefined): Evaluation | undefined {
    return this.book.serve(key, type, context);
  }

  /** `details` of an evaluation that was made, or is still to be made. */
  detailsOf<T extends FlagValue>({ key, fallback, type, evaluate }: Asked<T>): FlagDetails<T> {
    return resolveDetails({
      ...this.held.provenanceOf(this.book.find(key)),
      fallback,
      type,
      hasFlags: this.held.flags !== 'none',
      freshness: this.held.freshness,
      evaluate,
    });
  }

  on(event: 'change', listener: (change: FlagsChanged) => void): () => void;
  on(event: 'status', listener: (status: HeadgateStatus) => void): () => void;
  on(event: string, listener: (value: never) => void): () => void {
    if (typeof listener === 'function') {
      if (event === 'change') return this.changes.add(listener as (change: FlagsChanged) => void);
      if (event === 'status') return this.statuses.add(listener as (status: HeadgateStatus) => void);
    }
    this.complain('listener-ignored', 'on() takes "change" or "status" and a function');
    return () => {};
  }

  counter(name: string): Counter {
    return this.meters.counter(name);
  }

  gauge(name: string): Gauge {
    return this.meters.gauge(name);
  }

  event(name: string): void {
    this.meters.event(name);
  }

  health(state: InstanceReport['health']): void {
    if (['ok', 'degraded', 'failing'].includes(state)) this.reportedHealth = state;
    else this.complain('health-ignored', 'health() takes ok, degraded or failing');
  }

  crashed(signature: string): void {
    this.crashes?.crashed(signature);
  }

  ready(timeoutMs: number): Promise<boolean> {
    if (this.held.flags === 'live') return Promise.resolve(true);
    return this.closing ? Promise.resolve(false) : this.waiters.wait(timeoutMs);
  }

  status(): HeadgateStatus {
    const { held, book, reporter } = this;
    return {
      connection: this.connection,
      flags: held.flags,
      head: held.head,
      freshness: held.freshness,
      telemetry: {
        isOn: reporter !== null,
        instance: this.instance,
        bootId: this.bootId,
        accepted: reporter?.accepted ?? 0,
        lastAcceptedAt: reporter?.lastAcceptedAt ?? null,
        dropped: {
          reports: reporter?.dropped ?? 0,
          exposures: book.exposures.dropped,
          unknownFlags: book.unknownFlags.dropped,
        },
      },
      problems: this.problems.list(),
      problemCount: this.problems.count,
    };
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.follower.close();
    this.freshness.close();
    this.waiters.settle(false);
    await Promise.all([this.reporter?.close(), this.held.close()]);
    this.setConnection('off');
    this.changes.clear();
    this.statuses.clear();
  }

  private valueOf(key: string, type: string, context: EvaluationContext | undefined): unknown {
    try {
      return this.evaluate(key, type, context)?.value;
    } catch {
      // A context whose own code throws: the caller has its default, details() has the reason.
      return undefined;
    }
  }

  private receive(event: ServerSentEvent): Reception {
    const reception = this.held.receive(event);
    this.freshness.look();
    return reception;
  }

  /** Called while the local copy is taken too, before there is a reporter or a listener. */
  private afterChange(change: FlagsChanged): void {
    this.reporter?.setInterval(this.book.reportEveryMs);
    if (!this.changes.isEmpty) this.changes.emit(change);
  }

  private afterLive(): void {
    this.emitStatus();
    this.waiters.settle(true);
  }

  private report(seq: number): ReturnType<typeof composeReport> {
    const { settings, instance, bootId, book, meters, reportedHealth: health } = this;
    const crash = this.crashes?.next(seq);
    return composeReport({ settings, instance, bootId, book, meters, health, crash });
  }

  private baseContext(): EvaluationContext {
    const { attributes, channel, version } = this.settings;
    const { os, arch } = this.environment;
    return { os, arch, ...attributes, channel, version: version.upstream, targetingKey: this.instance };
  }

  private setConnection(connection: HeadgateStatus['connection']): void {
    this.connection = connection;
    this.emitStatus();
  }

  private emitStatus(): void {
    if (!this.statuses.isEmpty) this.statuses.emit(this.status());
  }

  private complain(code: string, message: string): void {
    this.problems.add(code, message);
  }
}
