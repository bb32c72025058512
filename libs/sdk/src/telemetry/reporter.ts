import { type InstanceReport, REPORT_LIMITS } from '@headgate/contracts';
import { backoffMs, retryAfterMs } from '../http/backoff.js';
import { keptConnection, postJson } from '../http/request.js';
import { type QueuedReport, ReportQueue } from './report-queue.js';

export interface ReporterOptions {
  readonly url: URL;
  readonly token: string | undefined;
  readonly now: () => number;
  readonly random: () => number;
  readonly reportEveryMs: number;
  /** Everything of the report of this number that the reporter does not know itself. */
  readonly read: (seq: number) => Omit<InstanceReport, 'seq' | 'window'>;
  readonly onAccepted?: (seq: number) => void;
  readonly onProblem: (code: string, message: string) => void;
}

const TIMEOUT_MS = 10_000;
const LAST_REPORT_TIMEOUT_MS = 2_000;
const LIMITS = { baseMs: 1_000, maxMs: 60_000 };
const MIN_INTERVAL_MS = 1_000;

/** Reports kept for a collector that cannot be reached. */
const MAX_WAITING = 8;

/**
 * Sends this instance's reports, one at a time and in order, each with its own `seq` until it is accepted: the same bytes,
 * so that the collector can drop what it has.
 */
export class Reporter {
  private readonly agent;
  private readonly startedAt: number;
  private readonly queue = new ReportQueue(MAX_WAITING);
  private seq = 0;
  private sending: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private retryTimer: NodeJS.Timeout | null = null;
  private everyMs: number;
  private isClosed = false;
  private acceptedCount = 0;
  private acceptedAt: number | null = null;

  constructor(private readonly options: ReporterOptions) {
    this.agent = keptConnection(options.url);
    this.startedAt = options.now();
    this.everyMs = options.reportEveryMs;
    // Somewhere within the first interval, so that a fleet started at once does not report at once.
    this.schedule(options.random() * this.everyMs);
  }

  get accepted(): number {
    return this.acceptedCount;
  }

  get lastAcceptedAt(): number | null {
    return this.acceptedAt;
  }

  /** Reports that were never accepted, because newer ones needed their place or the process ended. */
  get dropped(): number {
    return this.queue.dropped;
  }

  /** What rollouts under way ask for; null for none. */
  setInterval(rolloutMs: number | null): void {
    const { reportEveryMs, random } = this.options;
    const everyMs = Math.max(MIN_INTERVAL_MS, Math.min(reportEveryMs, rolloutMs ?? reportEveryMs));
    if (everyMs === this.everyMs || this.isClosed) return;
    this.everyMs = everyMs;
    this.schedule(random() * everyMs);
  }

  /** A last report with the final totals: sent once, not waited for longer than two seconds. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.timer) clearTimeout(this.timer);
    if (this.retryTimer) clearTimeout(this.retryTimer);
    // The only timer that keeps the process alive: who awaits close() must get past it.
    let deadline: NodeJS.Timeout | undefined;
    const elapsed = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, LAST_REPORT_TIMEOUT_MS);
    });
    await Promise.race([this.sendLast(), elapsed]);
    clearTimeout(deadline);
    this.agent.destroy();
  }

  private async sendLast(): Promise<void> {
    await this.sending;
    this.queue.dropAll();
    const last = this.compose();
    if (last !== null) await this.send(last);
  }

  private schedule(afterMs: number): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.schedule(this.everyMs);
      const report = this.compose();
      if (report !== null) this.queue.push(report);
      this.startSending();
    }, afterMs);
    this.timer.unref();
  }

  private startSending(): void {
    if (this.isClosed || this.sending !== null || this.retryTimer !== null) return;
    this.sending = this.sendWaiting().finally(() => {
      this.sending = null;
    });
  }

  /** Until none waits, or one has to be sent again later. */
  private async sendWaiting(): Promise<void> {
    for (let next = this.queue.oldest; next !== undefined && !this.isClosed; next = this.queue.oldest) {
      const retryMs = await this.send(next);
      if (retryMs === null) this.queue.settle(next);
      else if (!this.isClosed) {
        this.retryTimer = setTimeout(() => {
          this.retryTimer = null;
          this.startSending();
        }, retryMs);
        this.retryTimer.unref();
        return;
      }
    }
  }

  /** Null when that is the end of this report, else the milliseconds until it should be sent again. */
  private async send(report: QueuedReport): Promise<number | null> {
    const { url, token, now, onAccepted, onProblem } = this.options;
    try {
      const { status, retryAfter } = await postJson({
        url,
        token,
        agent: this.agent,
        body: report.body,
        timeoutMs: TIMEOUT_MS,
      });
      if (status === 202) {
        this.acceptedCount += 1;
        this.acceptedAt = now();
        onAccepted?.(report.seq);
        return null;
      }
      onProblem('report-refused', `the collector answered ${status} to report ${report.seq}`);
      // The same bytes would be refused again; the next report holds the same totals and may fare better.
      if (isFinal(status)) return null;
      return (retryAfterMs(retryAfter, now()) ?? 0) + this.backoff(report);
    } catch (error) {
      onProblem('report-unsent', `report ${report.seq}: ${(error as Error).message}`);
      return this.backoff(report);
    }
  }

  private backoff(report: QueuedReport): number {
    report.failures += 1;
    return backoffMs(report.failures, LIMITS, this.options.random);
  }

  private compose(): QueuedReport | null {
    try {
      const { flags, ...rest } = this.options.read(this.seq + 1);
      const report: InstanceReport = {
        ...rest,
        flags: flags.slice(0, REPORT_LIMITS.maxFlagsPerReport),
        seq: this.seq + 1,
        window: {
          startedAt: Math.floor(this.startedAt),
          endedAt: Math.floor(Math.max(this.startedAt, this.options.now())),
        },
      };
      const body = JSON.stringify(report);
      this.seq += 1;
      return { seq: this.seq, body, failures: 0 };
    } catch (error) {
      this.options.onProblem('report-unmade', (error as Error).message);
      return null;
    }
  }
}

/** Refused for what it says, not for when or by whom it was sent. */
const isFinal = (status: number): boolean =>
  status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status);
