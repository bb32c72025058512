/** Sleep that anybody may end early; a call that comes before the sleep ends it at once. */
export class WakeUp {
  #isCalled = false;
  #wake: (() => void) | null = null;

  readonly call = (): void => {
    this.#isCalled = true;
    this.#wake?.();
  };

  async sleep(atMostMs: number): Promise<void> {
    if (!this.#isCalled)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, atMostMs));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#isCalled = false;
    this.#wake = null;
  }
}
