/**
 * The machine's clock, never below the newest `issuedAt` that was verified: a clock set back cannot make an old beat look
 * fresh, and one that is behind shows as skew.
 */
export class ReaderClock {
  #newestIssuedAt: number;
  /** How far the machine's clock was behind when it met `newestIssuedAt`. */
  #behindMs: number;
  #highest = 0;

  constructor(
    private readonly machine: () => number,
    issuedAt = 0,
  ) {
    this.#newestIssuedAt = issuedAt;
    this.#behindMs = Math.max(0, issuedAt - machine());
  }

  get newestIssuedAt(): number {
    return this.#newestIssuedAt;
  }

  get skewMs(): number {
    return this.#behindMs;
  }

  observe(issuedAt: number): void {
    if (issuedAt <= this.#newestIssuedAt) return;
    this.#newestIssuedAt = issuedAt;
    this.#behindMs = Math.max(0, issuedAt - this.machine());
  }

  now(): number {
    this.#highest = Math.max(this.#highest, this.#newestIssuedAt, this.machine() + this.#behindMs);
    return this.#highest;
  }

  /** A key that is trusted no longer must not have set the time for ever. */
  forget(): void {
    this.#newestIssuedAt = 0;
    this.#behindMs = 0;
    this.#highest = 0;
  }
}
