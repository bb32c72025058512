import { type InstanceReport, REPORT_LIMITS } from '@headgate/contracts';
import { backoffMs, retryAfterMs } from '../http/backoff.js';
import { keptConnection, postJson } from '../http/request.js';

export interface ReporterOptions {
  readonly url: URL;
  readonly token: string | undefined;
  readonly now: () => number;
  readonly random: () => number;
  readonly reportEveryMs: number;
  /** Everything of a report that the reporter does not know itself. */
  readonly read: () => Omit<InstanceReport, 'seq' | 'window'>;
  readonly onProblem: (code: string, message: string) => void;
}

interface Pending {
  readonly seq: number;
  readonly body: string;
  failures: number;
}

const TIMEOUT_MS = 10_000;
const LAST_REPORT_TIMEOUT_MS = 2_000;
const LIMITS = { baseMs: 1_000, maxMs: 60_000 };
const MIN_INTERVAL_MS = 1_000;

/**
 * Sends this instance's reports, one at a time, each with its own `seq` until it is accepted: the same bytes, so that the
 * collector can drop what it has. Totals are cumulative, so only the newest report is ever kept: that is the whole queue.
 */
export class Reporter {
  private readonly agent;
  private readonly startedAt: number;
  private seq = 0;
  private pending: Pending | null = null;
  private sending: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
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

  /** What rollouts under way ask for; null for none. */
  setInterval(rolloutMs: number | null): void {
    const { reportEveryMs, random } = this.options;
    const everyMs = Math.max(MIN_INTERVAL_MS, Math.min(reportEveryMs, rolloutMs ?? reportEveryMs));
    if (everyMs === this.everyMs || this.isClosed) return;
    this.everyMs = everyMs;
    if (this.pending === null) this.schedule(random() * everyMs);
  }

  /** A last report with the final totals: sent once, not waited for longer than two seconds. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.timer) clearTimeout(this.timer);
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
    this.pending = this.compose();
    await this.send(this.pending);
  }

  private schedule(afterMs: number): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.sending = this.turn().finally(() => {
        this.sending = null;
      });
    }, afterMs);
    this.timer.unref();
  }

  private async turn(): Promise<void> {
    this.pending ??= this.compose();
    const waitMs = this.pending === null ? this.everyMs : await this.send(this.pending);
    if (!this.isClosed) this.schedule(waitMs);
  }

  /** Milliseconds until the next turn. */
  private async send(pending: Pending | null): Promise<number> {
    if (pending === null) return this.everyMs;
    const { url, token, now, onProblem } = this.options;
    try {
      const { status, retryAfter } = await postJson({
        url,
        token,
        agent: this.agent,
        body: pending.body,
        timeoutMs: TIMEOUT_MS,
      });
      if (status === 202) return this.afterAccepted();
      onProblem('report-refused', `the collector answered ${status} to report ${pending.seq}`);
      if (isFinal(status)) {
        // The same bytes would be refused again; the next report holds the same totals and may fare better.
        this.pending = null;
        return this.everyMs;
      }
      return (retryAfterMs(retryAfter, now()) ?? 0) + this.backoff(pending);
    } catch (error) {
      onProblem('report-unsent', `report ${pending.seq}: ${(error as Error).message}`);
      return this.backoff(pending);
    }
  }

  private afterAccepted(): number {
    this.pending = null;
    this.acceptedCount += 1;
    this.acceptedAt = this.options.now();
    return this.everyMs;
  }

  private backoff(pending: Pending): number {
    pending.failures += 1;
    return backoffMs(pending.failures, LIMITS, this.options.random);
  }

  private compose(): Pending | null {
    try {
      const { flags, ...rest } = this.options.read();
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
