import { createHash } from 'node:crypto';
import { bucket } from '@headgate/evaluation';

export interface FleetOptions {
  readonly size: number;
  readonly project: string;
  readonly channel: string;
  /** Of the collector: `…/telemetry/v1/reports`. */
  readonly url: string;
  readonly token: string;
  /** Seed of the traffic. */
  readonly seed: number;
  /** Who takes the new path now, by rollout: seed and weight, asked before every round. */
  readonly splits: () => readonly {
    readonly flag: string;
    readonly seed: string;
    readonly weightPpm: number;
  }[];
  /** Chance that a request of this instance fails, given the flags that are on for it. */
  readonly failureRate: (on: ReadonlySet<string>, instance: number) => number;
  /** Signature of the crash that an instance tells of in this report. */
  readonly crash?: (on: ReadonlySet<string>, instance: number) => string | undefined;
  readonly everyMs: number;
  /** Reports a request carries. */
  readonly batch?: number;
}

interface Instance {
  readonly id: string;
  readonly bootId: string;
  seq: number;
  requests: number;
  failed: number;
}

const MEAN_REQUESTS = 20;

/**
 * Instances that report over HTTP what they counted, each in its own second. Only a report's content differs between good and bad;
 * nothing tells the judge which is which.
 */
export class ReportingFleet {
  readonly #options: FleetOptions;
  readonly #instances: Instance[];
  readonly #random: () => number;
  readonly #silent = new Set<number>();
  #isRunning = true;
  #running: Promise<unknown> = Promise.resolve();
  accepted = 0;
  readonly problems: string[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#random = mulberry32(options.seed);
    this.#instances = Array.from({ length: options.size }, (_, n) => ({
      id: hex(`${options.seed} instance ${n}`, 64),
      bootId: hex(`${options.seed} boot ${n}`, 32),
      seq: 0,
      requests: 0,
      failed: 0,
    }));
  }

  start(): void {
    const { size, batch = 20 } = this.#options;
    const groups: number[][] = [];
    for (let from = 0; from < size; from += batch)
      groups.push(Array.from({ length: Math.min(batch, size - from) }, (_, k) => from + k));
    this.#running = Promise.all(groups.map((group, n) => this.#run(group, n / groups.length)));
  }

  /** These instances report no more, as if they had crashed. */
  silence(instances: Iterable<number>): void {
    for (const n of instances) this.#silent.add(n);
  }

  idOf(n: number): string {
    return this.#instances[n]!.id;
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#running;
  }

  async #run(group: readonly number[], phase: number): Promise<void> {
    const { everyMs } = this.#options;
    let next = Date.now() + phase * everyMs;
    while (this.#isRunning) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - Date.now())));
      next += everyMs;
      await this.#post(group.filter((n) => !this.#silent.has(n)).map((n) => this.#report(n)));
    }
  }

  #report(n: number): unknown {
    const { project, channel, splits, failureRate, crash } = this.#options;
    const instance = this.#instances[n]!;
    const on = new Set<string>();
    for (const { flag, seed, weightPpm } of splits()) if (bucket(seed, instance.id) < weightPpm) on.add(flag);
    const requests = Math.round(MEAN_REQUESTS * (0.5 + this.#random()));
    const rate = failureRate(on, n);
    for (let r = 0; r < requests; r++) if (this.#random() < rate) instance.failed += 1;
    instance.requests += requests;
    instance.seq += 1;
    const signature = crash?.(on, n);
    return {
      schema: 'headgate.report.v1',
      project,
      channel,
      instance: instance.id,
      bootId: instance.bootId,
      seq: instance.seq,
      version: { upstream: '1.0' },
      health: 'ok',
      flags: [...on].map((name) => ({ name, value: 'on' })),
      metrics: { counters: { requests: instance.requests, failed: instance.failed }, gauges: {}, events: {} },
      ...(signature !== undefined && { crash: { signature, at: Date.now() } }),
      window: { startedAt: 1, endedAt: 2 },
    };
  }

  async #post(reports: readonly unknown[]): Promise<void> {
    if (reports.length === 0) return;
    const { url, token } = this.#options;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    try {
      const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ reports }) });
      if (answer.status === 202) this.accepted += ((await answer.json()) as { accepted: number }).accepted;
      else this.problems.push(`${answer.status} ${await answer.text()}`);
    } catch (cause) {
      this.problems.push(String(cause));
    }
  }
}

const hex = (text: string, length: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, length);

const mulberry32 = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
};
