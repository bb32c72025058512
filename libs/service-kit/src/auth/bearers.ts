import { createHash, timingSafeEqual } from 'node:crypto';
import type { TokenRole } from '@headgate/contracts';

/** Who calls, as a token says. */
export interface Caller {
  /** The token's id: the actor of what it does. */
  readonly tokenId: string;
  readonly role: TokenRole;
  /** `null`: every project of the installation. */
  readonly project: string | null;
}

/** Port: whom a bearer secret stands for now, or `null`. Implementations compare hashes only, in constant time. */
export abstract class Bearers {
  abstract authenticate(secret: string): Promise<Caller | null>;
}

/** Tokens are `hg_` and 256 random bits; what is stored is this hash of the whole. */
export const secretHash = (secret: string): string =>
  createHash('sha256').update(secret, 'utf8').digest('hex');

/** Both are SHA-256 in hex: equal in length, compared without telling where they differ. */
export const isSameHash = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));

/** A fixed list, for services that do not read the log (the collector with the installation's ingest token). */
export class FixedBearers extends Bearers {
  constructor(
    private readonly known: ReadonlyArray<{ readonly secretHash: string; readonly caller: Caller }>,
  ) {
    super();
  }

  override async authenticate(secret: string): Promise<Caller | null> {
    const hash = secretHash(secret);
    let found: Caller | null = null;
    // Walks the whole list every time, so that the time taken says nothing about which one fits.
    for (const { secretHash: known, caller } of this.known) if (isSameHash(known, hash)) found = caller;
    return found;
  }
}

/** The first of several that knows the secret. */
export class AnyOfBearers extends Bearers {
  constructor(private readonly parts: readonly Bearers[]) {
    super();
  }

  override async authenticate(secret: string): Promise<Caller | null> {
    for (const part of this.parts) {
      const caller = await part.authenticate(secret);
      if (caller) return caller;
    }
    return null;
  }
}
