import type { Problem } from '../headgate.js';

const KEPT = 20;

/** What went wrong lately. The same complaint in a row is kept once, with its newest time. */
export class Problems {
  private readonly kept: Problem[] = [];
  private total = 0;

  constructor(private readonly now: () => number) {}

  add(code: string, message: string): void {
    this.total += 1;
    const last = this.kept.at(-1);
    if (last?.code === code && last.message === message) this.kept.pop();
    this.kept.push({ at: this.now(), code, message: message.slice(0, 500) });
    if (this.kept.length > KEPT) this.kept.shift();
  }

  get count(): number {
    return this.total;
  }

  list(): readonly Problem[] {
    return [...this.kept];
  }
}
