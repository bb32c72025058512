/** Runs one piece of work at a time, in order of arrival, urgent work before all other. A failure is its caller's alone. */
export class SerialQueue {
  private readonly urgent: (() => Promise<void>)[] = [];
  private readonly normal: (() => Promise<void>)[] = [];
  private running = false;

  run<T>(work: () => Promise<T>, options: { readonly urgent: boolean }): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      (options.urgent ? this.urgent : this.normal).push(() => work().then(resolve, reject));
      if (this.running) return;
      this.running = true;
      // Never within the caller's own step: it has yet to note that it asked.
      queueMicrotask(() => void this.drain());
    });
  }

  private async drain(): Promise<void> {
    for (;;) {
      const next = this.urgent.shift() ?? this.normal.shift();
      if (next === undefined) break;
      await next();
    }
    this.running = false;
  }
}
