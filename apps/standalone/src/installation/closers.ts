import type { Log } from '@headgate/service-kit';

/** Takes things down in the opposite order of setting up. One that fails is said and does not keep the others. */
export class Closers {
  private readonly steps: { readonly name: string; readonly close: () => Promise<unknown> | unknown }[] = [];
  private closing: Promise<void> | null = null;

  constructor(private readonly log: Log) {}

  add(name: string, close: () => Promise<unknown> | unknown): void {
    this.steps.push({ name, close });
  }

  /** Safe to repeat. */
  close(): Promise<void> {
    this.closing ??= this.run();
    return this.closing;
  }

  private async run(): Promise<void> {
    for (const { name, close } of this.steps.toReversed()) {
      try {
        await close();
      } catch (cause) {
        this.log.error('closing failed', { part: name, error: cause });
      }
    }
  }
}
