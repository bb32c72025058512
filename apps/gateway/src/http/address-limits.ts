import { addressBlock } from './address-block.js';

export interface AddressLimitsOptions {
  readonly now: () => number;
  /** Per address, sustained; 0 for no limit. */
  readonly perSecond: number;
  /** Taken at once after a quiet time, in seconds of `perSecond`. */
  readonly burstSeconds?: number;
  /** Addresses remembered; a fleet that has more of them is not slowed down by forgetting the oldest. */
  readonly maxAddresses?: number;
}

/**
 * A token bucket per address, as the one number at which it will be full again (GCRA).
 */
export class AddressLimits {
  private readonly fullAt = new Map<string, number>();
  private readonly costMs: number;
  private readonly burstMs: number;
  private readonly maxAddresses: number;

  constructor(private readonly options: AddressLimitsOptions) {
    this.costMs = 1_000 / options.perSecond;
    this.burstMs = (options.burstSeconds ?? 2) * 1_000;
    this.maxAddresses = options.maxAddresses ?? 10_000;
  }

  /** 0 when the request may go on, else how many seconds to wait. */
  take(ip: string): number {
    if (this.options.perSecond === 0) return 0;
    const now = this.options.now();
    const address = addressBlock(ip);
    const fullAt = Math.max(this.fullAt.get(address) ?? 0, now) + this.costMs;
    const overMs = fullAt - now - this.burstMs;
    if (overMs > 0) return Math.ceil(overMs / 1_000);
    this.remember(address, fullAt);
    return 0;
  }

  private remember(address: string, fullAt: number): void {
    // Taken out and put in again: the map's order is then that of the newest request.
    this.fullAt.delete(address);
    this.fullAt.set(address, fullAt);
    if (this.fullAt.size <= this.maxAddresses) return;
    const [oldest] = this.fullAt.keys();
    this.fullAt.delete(oldest!);
  }
}
