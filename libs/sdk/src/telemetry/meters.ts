import { type InstanceReport, REPORT_LIMITS } from '@headgate/contracts';

export interface Counter {
  /** Adds a finite number that is not negative (default 1); anything else is ignored and shown in `status()`. */
  add(amount?: number): void;
}

export interface Gauge {
  /** Records one finite reading. */
  set(reading: number): void;
}

type Metrics = NonNullable<InstanceReport['metrics']>;

interface GaugeTotals {
  sum: number;
  count: number;
  logSum: number;
  isPositive: boolean;
}

const METRIC_NAME = /^[a-z][a-z0-9_.-]{0,99}$/;
const IGNORED: Counter & Gauge = { add: () => {}, set: () => {} };

/** Totals since the process started: a report that is lost loses nothing, the next one holds it too. */
export class Meters {
  private readonly counters = new Map<string, { total: number; handle: Counter }>();
  private readonly gauges = new Map<string, { totals: GaugeTotals; handle: Gauge }>();
  private readonly events = new Map<string, number>();

  constructor(
    private readonly now: () => number,
    private readonly complain: (message: string) => void,
  ) {}

  counter(name: string): Counter {
    const found = this.counters.get(name);
    if (found) return found.handle;
    if (!this.admits(name)) return IGNORED;
    const entry = {
      total: 0,
      handle: {
        add: (amount = 1): void => {
          if (typeof amount === 'number' && amount >= 0 && Number.isFinite(entry.total + amount)) {
            entry.total += amount;
          } else this.complain(`counter ${name} takes finite numbers from 0 on`);
        },
      },
    };
    this.counters.set(name, entry);
    return entry.handle;
  }

  gauge(name: string): Gauge {
    const found = this.gauges.get(name);
    if (found) return found.handle;
    if (!this.admits(name)) return IGNORED;
    const totals: GaugeTotals = { sum: 0, count: 0, logSum: 0, isPositive: true };
    const handle: Gauge = {
      set: (reading) => {
        if (typeof reading !== 'number' || !Number.isFinite(totals.sum + reading)) {
          this.complain(`gauge ${name} takes finite numbers`);
          return;
        }
        totals.sum += reading;
        totals.count += 1;
        if (reading > 0) totals.logSum += Math.log(reading);
        else totals.isPositive = false;
      },
    };
    this.gauges.set(name, { totals, handle });
    return handle;
  }

  /** Only the first time counts: what is judged is whether an instance had the event, and when. */
  event(name: string): void {
    if (!this.events.has(name) && this.admits(name))
      this.events.set(name, Math.max(0, Math.floor(this.now())));
  }

  read(): Metrics {
    return {
      counters: Object.fromEntries([...this.counters].map(([name, { total }]) => [name, total])),
      gauges: Object.fromEntries([...this.gauges].map(([name, { totals }]) => [name, readGauge(totals)])),
      events: Object.fromEntries(this.events),
    };
  }

  private admits(name: string): boolean {
    if (typeof name !== 'string' || !METRIC_NAME.test(name)) {
      this.complain('a metric needs a name of a-z 0-9 . _ -, starting with a letter');
      return false;
    }
    if (this.counters.size + this.gauges.size + this.events.size >= REPORT_LIMITS.maxMetricsPerReport) {
      this.complain(`only ${REPORT_LIMITS.maxMetricsPerReport} metrics are kept; ${name} is not`);
      return false;
    }
    return true;
  }
}

const readGauge = ({ sum, count, logSum, isPositive }: GaugeTotals): Metrics['gauges'][string] =>
  isPositive && count > 0 ? { sum, count, logSum } : { sum, count };
