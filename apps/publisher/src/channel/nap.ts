/** Waits that something else can cut short. For one sleeper. */
export class Nap {
  #wake: () => void = () => {};
  #isWakeable = false;
  #hasWork = false;
  #isEnded = false;

  /** Until `wake`, or the time is over; not at all when `wake` came since the last nap. */
  async nap(ms: number): Promise<void> {
    if (!this.#hasWork) await this.#wait(ms, true);
    this.#hasWork = false;
  }

  /** Until the time is over, whatever comes in. */
  sleep(ms: number): Promise<void> {
    return this.#wait(ms, false);
  }

  wake(): void {
    this.#hasWork = true;
    if (this.#isWakeable) this.#wake();
  }

  /** No wait takes time any more. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async #wait(ms: number, isWakeable: boolean): Promise<void> {
    if (this.#isEnded || ms <= 0) return;
    this.#isWakeable = isWakeable;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#isWakeable = false;
  }
}
