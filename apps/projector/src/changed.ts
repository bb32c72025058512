/** Wakes whoever waits for something to have changed; they look for themselves whether it was what they wait for. */
export class Changed {
  #waiting: (() => void)[] = [];

  notify(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async until(isDue: () => boolean): Promise<void> {
    while (!isDue())
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
  }
}
