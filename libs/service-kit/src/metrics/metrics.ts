import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface MetricOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly L[];
}

/** The process's Prometheus metrics. Asking twice for a name gives the same metric, so modules of one process may share it. */
export class Metrics {
  readonly registry = new Registry();
  private isCollectingProcess = false;

  counter<L extends string = never>(options: MetricOptions<L>): Counter<L> {
    return this.find<Counter<L>>(options.name) ?? new Counter({ ...options, ...this.into() });
  }

  gauge<L extends string = never>(options: MetricOptions<L> & { readonly read?: () => number }): Gauge<L> {
    const { read, ...rest } = options;
    const found = this.find<Gauge<L>>(options.name);
    if (found) return found;
    const gauge: Gauge<L> = new Gauge({
      ...rest,
      ...this.into(),
      ...(read ? { collect: () => gauge.set(read()) } : {}),
    });
    return gauge;
  }

  histogram<L extends string = never>(
    options: MetricOptions<L> & { readonly buckets: readonly number[] },
  ): Histogram<L> {
    const { buckets, ...rest } = options;
    return (
      this.find<Histogram<L>>(options.name) ??
      new Histogram({ ...rest, buckets: [...buckets], ...this.into() })
    );
  }

  /** Memory, CPU, event loop and garbage collection of this process, once. */
  collectProcess(): void {
    if (this.isCollectingProcess) return;
    this.isCollectingProcess = true;
    collectDefaultMetrics({ register: this.registry });
  }

  private into(): { registers: Registry[] } {
    return { registers: [this.registry] };
  }

  private find<M>(name: string): M | undefined {
    return this.registry.getSingleMetric(name) as M | undefined;
  }
}
