/** Callbacks of the application: what they throw stays theirs. */
export class Listeners<T> {
  private readonly listeners = new Set<(value: T) => void>();

  constructor(private readonly onThrow: (error: unknown) => void) {}

  get isEmpty(): boolean {
    return this.listeners.size === 0;
  }

  add(listener: (value: T) => void): () => void {
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
