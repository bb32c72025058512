import { ErrorCode, type OpenFeatureEventEmitter, ProviderEvents } from '@openfeature/server-sdk';
import type { FlagsChanged, Headgate, HeadgateStatus } from '../headgate.js';
import { type Condition, conditionOf, type Judged } from './condition.js';

export interface AnnouncerOptions {
  readonly headgate: Headgate;
  readonly events: OpenFeatureEventEmitter;
  /** Milliseconds, from any origin, never going back. */
  readonly now: () => number;
  /** A reconnect that takes no longer than this is no news. */
  readonly graceMs: number;
  /** Called before listeners of OpenFeature are, whenever what resolutions say may have changed. */
  readonly onNews: () => void;
}

/** Tells OpenFeature what became of a Headgate: every change of its condition once, and every change of flags while it has some. */
export class Announcer {
  private announced: Condition | null = null;
  private goneSince: number | null = null;
  private timer: NodeJS.Timeout | null = null;
  private leave: (() => void)[] = [];

  constructor(private readonly options: AnnouncerOptions) {}

  /** Watches, and says nothing before `begin`: what the end of initialisation says is OpenFeature's to announce. */
  listen(): void {
    const { headgate, onNews } = this.options;
    this.leave.push(
      headgate.on('change', (change) => {
        onNews();
        this.announceChange(change);
      }),
      headgate.on('status', (status) => {
        onNews();
        this.look(status);
      }),
    );
    this.look(headgate.status());
  }

  begin(announced: Condition): void {
    // Closed before it began.
    if (this.leave.length === 0) return;
    this.announced = announced;
    this.look(this.options.headgate.status());
  }

  close(): void {
    for (const leave of this.leave.splice(0)) leave();
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.announced = null;
    this.goneSince = null;
  }

  private look(status: HeadgateStatus): void {
    const { now, graceMs } = this.options;
    const isThere = status.connection === 'connected' || status.connection === 'polling';
    if (isThere) this.goneSince = null;
    else this.goneSince ??= now();
    const goneForMs = this.goneSince === null ? 0 : now() - this.goneSince;
    this.lookAgainIn(isThere || goneForMs >= graceMs ? null : graceMs - goneForMs);
    if (this.announced !== null) this.announce(conditionOf(status, goneForMs, graceMs));
  }

  private lookAgainIn(waitMs: number | null): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (waitMs === null) return;
    this.timer = setTimeout(() => this.look(this.options.headgate.status()), waitMs);
    this.timer.unref();
  }

  private announce({ condition, message }: Judged): void {
    if (condition === this.announced) return;
    this.announced = condition;
    const { events } = this.options;
    if (condition === 'ready') events.emit(ProviderEvents.Ready, { message });
    else if (condition === 'stale') events.emit(ProviderEvents.Stale, { message });
    else events.emit(ProviderEvents.Error, { message, errorCode: ErrorCode.PROVIDER_NOT_READY });
  }

  /** Before the first flags are announced there is nothing that could have changed. */
  private announceChange({ flags, epoch, n }: FlagsChanged): void {
    if (this.announced === null || this.announced === 'error') return;
    this.options.events.emit(ProviderEvents.ConfigurationChanged, {
      flagsChanged: flags.map(({ key }) => key),
      message: `revision ${epoch}.${n}`,
    });
  }
}
