/** More is a listener added per request and never taken away. */
const MAX_LISTENERS = 1_000;

/** Callbacks of the application: what they throw stays theirs. */
export class Listeners<T> {
  private readonly listeners = new Set<(value: T) => void>();

  constructor(
    private readonly onThrow: (error: unknown) => void,
    private readonly onTooMany: (message: string) => void = () => {},
  ) {}

  get isEmpty(): boolean {
    return this.listeners.size === 0;
  }

  add(listener: (value: T) => void): () => void {
    if (this.listeners.size >= MAX_LISTENERS && !this.listeners.has(listener)) {
      this.onTooMany(`only ${MAX_LISTENERS} listeners are kept; are they taken away again?`);
      return () => {};
    }
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  emit(value: T): void {
    for (const listener of [...this.listeners]) {
      try {
        listener(value);
      } catch (error) {
        this.onThrow(error);
      }
    }
  }

  clear(): void {
    this.listeners.clear();
  }
}
