import { GATEWAY_EVENTS, type InstanceReport } from '@headgate/contracts';
import type { EvaluationContext } from '@headgate/evaluation';
import { type Acceptance, type ChannelReader, openChannelReader } from '@headgate/trust';
import { CopyKeeper } from './copy/copy-keeper.js';
import { LocalCopy } from './copy/local-copy.js';
import type { Environment } from './environment.js';
import { FlagBook } from './flags/flag-book.js';
import { type FlagValue, resolveDetails } from './flags/resolve-details.js';
import type { FlagDetails, FlagsChanged, Headgate, HeadgateStatus } from './headgate.js';
import { instanceOf, saltOf } from './options/identity.js';
import type { Settings } from './options/options.js';
import { describe } from './options/read-options.js';
import { Listeners } from './status/listeners.js';
import { Problems } from './status/problems.js';
import { Waiters } from './status/waiters.js';
import { ChannelFollower, type Reception } from './stream/channel-follower.js';
import { offerEvent, receptionOf } from './stream/offer-event.js';
import type { ServerSentEvent } from './stream/sse-parser.js';
import { type Counter, type Gauge, Meters } from './telemetry/meters.js';
import { Reporter } from './telemetry/reporter.js';

type Source = FlagsChanged['source'];

/** Everything of one `connectHeadgate`: reader, local copy, follower, reporter, and the flags in force. */
export class HeadgateClient implements Headgate {
  private readonly problems: Problems;
  private readonly changes: Listeners<FlagsChanged>;
  private readonly statuses: Listeners<HeadgateStatus>;
  private readonly meters: Meters;
  private readonly instance: string;
  private readonly bootId: string;
  private readonly book: FlagBook;
  private readonly reader: ChannelReader;
  private readonly keeper: CopyKeeper | null = null;
  private readonly follower: ChannelFollower;
  private readonly reporter: Reporter | null = null;
  private readonly waiters = new Waiters();
  private connection: HeadgateStatus['connection'] = 'connecting';
  private flags: HeadgateStatus['flags'] = 'none';
  private reportedHealth: InstanceReport['health'] = 'ok';
  private closing: Promise<void> | null = null;

  constructor(
    private readonly settings: Settings,
    private readonly environment: Environment,
  ) {
    const { now, random, newId } = environment;
    this.problems = new Problems(now);
    const complain = (code: string) => (message: string) => this.complain(code, message);
    this.changes = new Listeners((error) => this.complain('listener-threw', describe(error)));
    this.statuses = new Listeners((error) => this.problems.add('listener-threw', describe(error)));
    this.meters = new Meters(now, complain('metric-ignored'));
    this.bootId = newId();
    this.instance = instanceOf(saltOf(settings, newId, complain), settings.instanceId);
    this.book = new FlagBook(now, this.baseContext(), complain('rollout-unjudgeable'));
    const { project, channel, root, dataDir } = settings;
    const copy = dataDir === null ? null : new LocalCopy(dataDir, `${project}.${channel}`, this.bootId, now);
    const stored = copy?.load();
    this.reader = openChannelReader({ project, channel, pin: root, now, seen: stored?.seen ?? null });
    for (const problem of stored?.problems ?? []) this.complain('copy-damaged', problem);
    if (copy !== null) {
      this.takeCopy(copy, stored?.state);
      this.keeper = new CopyKeeper(copy, () => this.copyContent(), now, random, complain('copy-unwritten'));
    }
    if (settings.reportsUrl !== null) {
      this.reporter = new Reporter({
        url: settings.reportsUrl,
        token: settings.token,
        now,
        random,
        reportEveryMs: settings.reportEveryMs,
        read: () => this.composeReport(),
        onProblem: (code, message) => this.complain(code, message),
      });
      this.reporter.setInterval(this.book.reportEveryMs);
    }
    this.follower = new ChannelFollower({
      url: settings.flagsUrl,
      token: settings.token,
      now,
      random,
      lastEventId: () => this.lastEventId(),
      receive: (event) => this.receive(event),
      onConnection: (connection) => this.setStatus({ connection }),
      onProblem: (code, message) => this.complain(code, message),
    });
    this.follower.start();
  }

  boolean(key: string, fallback: boolean, context?: EvaluationContext): boolean {
    const value = this.valueOf(key, context);
    return typeof value === 'boolean' ? value : fallback;
  }

  string(key: string, fallback: string, context?: EvaluationContext): string {
    const value = this.valueOf(key, context);
    return typeof value === 'string' ? value : fallback;
  }

  number(key: string, fallback: number, context?: EvaluationContext): number {
    const value = this.valueOf(key, context);
    return typeof value === 'number' ? value : fallback;
  }

  object<T extends object>(key: string, fallback: T, context?: EvaluationContext): T {
    const value = this.valueOf(key, context);
    return typeof value === 'object' && value !== null ? (value as T) : fallback;
  }

  details<T extends FlagValue>(key: string, fallback: T, context?: EvaluationContext): FlagDetails<T> {
    const document = this.book.find(key);
    const digest = document && this.reader.state?.digests.get(document.flagId);
    return resolveDetails({
      fallback,
      hasFlags: this.flags !== 'none',
      freshness: this.reader.freshness(),
      evaluate: () => this.book.evaluate(key, context),
      ...(document === undefined ? {} : { position: document.position }),
      ...(digest === undefined ? {} : { flagDigest: digest }),
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

  ready(timeoutMs: number): Promise<boolean> {
    if (this.flags === 'live') return Promise.resolve(true);
    return this.closing ? Promise.resolve(false) : this.waiters.wait(timeoutMs);
  }

  status(): HeadgateStatus {
    const head = this.reader.state?.head.h;
    return {
      connection: this.connection,
      flags: this.flags,
      head: head
        ? {
            epoch: head.epoch,
            n: head.n,
            position: head.position,
            documentCount: head.documentCount,
            setDigest: head.setDigest,
          }
        : null,
      freshness: this.reader.freshness(),
      telemetry: {
        isOn: this.reporter !== null,
        instance: this.instance,
        bootId: this.bootId,
        accepted: this.reporter?.accepted ?? 0,
        lastAcceptedAt: this.reporter?.lastAcceptedAt ?? null,
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
    this.waiters.settle(false);
    await Promise.all([this.reporter?.close(), this.keeper?.close()]);
    this.setStatus({ connection: 'off' });
    this.changes.clear();
    this.statuses.clear();
  }

  private valueOf(key: string, context: EvaluationContext | undefined): unknown {
    try {
      return this.book.evaluate(key, context)?.value;
    } catch {
      // A context whose own code throws: the caller has its default, details() has the reason.
      return undefined;
    }
  }

  private receive(event: ServerSentEvent): Reception {
    const acceptance = offerEvent(this.reader, event);
    if (acceptance === null) return { ok: true };
    if (acceptance.ok) {
      if (event.event !== GATEWAY_EVENTS.trust) this.becomeLive();
      this.takeChanges(acceptance, 'gateway');
      this.keeper?.changed();
      return { ok: true };
    }
    const message = `${event.event} refused, ${acceptance.code}: ${acceptance.message}`;
    this.complain(`refused-${acceptance.code}`, message);
    return receptionOf(acceptance.code, message);
  }

  private takeCopy(copy: LocalCopy, stored: unknown): void {
    if (stored === null || stored === undefined) return;
    const acceptance = this.reader.acceptState(stored);
    if (acceptance.ok) {
      this.flags = 'copy';
      this.takeChanges(acceptance, 'copy');
      return;
    }
    this.complain('copy-discarded', `the local copy is not taken, ${acceptance.code}: ${acceptance.message}`);
    try {
      copy.discardState();
    } catch (error) {
      this.complain('copy-undeletable', describe(error));
    }
  }

  private takeChanges(acceptance: Extract<Acceptance, { ok: true }>, source: Source): void {
    if (acceptance.changed.length === 0) return;
    const flags = this.book.apply(acceptance.changed);
    this.reporter?.setInterval(this.book.reportEveryMs);
    const head = this.reader.state?.head.h;
    if (head === undefined || this.changes.isEmpty) return;
    this.changes.emit({ source, epoch: head.epoch, n: head.n, position: head.position, flags });
  }

  private becomeLive(): void {
    if (this.flags === 'live') return;
    this.setStatus({ flags: 'live' });
    this.waiters.settle(true);
  }

  private copyContent(): ReturnType<ConstructorParameters<typeof CopyKeeper>[1]> {
    const state = this.reader.localState();
    const { seen } = this.reader;
    return state === null || seen === null ? null : { state, seen };
  }

  private lastEventId(): string | null {
    const head = this.reader.signedState()?.head.h;
    return head === undefined ? null : `${head.epoch}.${head.n}`;
  }

  private composeReport(): ReturnType<ConstructorParameters<typeof Reporter>[0]['read']> {
    const { project, channel, version } = this.settings;
    return {
      schema: 'headgate.report.v1',
      project,
      channel,
      instance: this.instance,
      bootId: this.bootId,
      version,
      health: this.reportedHealth,
      flags: [...this.book.served()],
      metrics: this.meters.read(),
    };
  }

  private baseContext(): EvaluationContext {
    const { attributes, channel, version } = this.settings;
    const { os, arch } = this.environment;
    return { os, arch, ...attributes, channel, version: version.upstream, targetingKey: this.instance };
  }

  private setStatus(change: Partial<Pick<HeadgateStatus, 'connection' | 'flags'>>): void {
    this.connection = change.connection ?? this.connection;
    this.flags = change.flags ?? this.flags;
    if (!this.statuses.isEmpty) this.statuses.emit(this.status());
  }

  private complain(code: string, message: string): void {
    this.problems.add(code, message);
  }
}
