import { addressBlock } from './address-block.js';

/** How many of something that is scarce each address has at this time. */
export class AddressShares {
  private readonly taken = new Map<string, number>();

  /** `limitOf`: the most that an address may have. */
  constructor(private readonly limitOf: (ip: string) => number) {}

  isFull(ip: string): boolean {
    return (this.taken.get(addressBlock(ip)) ?? 0) >= this.limitOf(ip);
  }

  /** Returns what gives it back; to be called once. */
  take(ip: string): () => void {
    const block = addressBlock(ip);
    this.taken.set(block, (this.taken.get(block) ?? 0) + 1);
    return () => {
      const left = (this.taken.get(block) ?? 1) - 1;
      if (left > 0) this.taken.set(block, left);
      else this.taken.delete(block);
    };
  }
}

/**
 * The most clients that one address may have of `maxClients`. Unless it is said, half: one address cannot keep all others out, and one
 * office behind one address still gets in. This machine's own addresses are a proxy's rather than one client's, and then get all.
 */
export const clientsPerAddress =
  (maxClients: number, perAddress: number | undefined) =>
  (ip: string): number => {
    if (perAddress === 0) return Number.POSITIVE_INFINITY;
    if (perAddress !== undefined) return perAddress;
    return isOwn(addressBlock(ip)) ? Number.POSITIVE_INFINITY : Math.ceil(maxClients / 2);
  };

const isOwn = (block: string): boolean => /^(127\.|0:0:0:0$)/.test(block);
