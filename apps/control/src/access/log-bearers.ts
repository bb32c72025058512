import { SYSTEM_PROJECT } from '@headgate/contracts';
import type { ProjectState, Token } from '@headgate/domain';
import type { EventStore } from '@headgate/event-store';
import { Bearers, type Caller, isSameHash, secretHash } from '@headgate/service-kit';

/**
 * Tokens as the log has them: a revocation counts from the request after it was acknowledged, an expiry to the millisecond. Looks a
 * secret up by its SHA-256, which an attacker cannot steer, and compares in constant time.
 */
export class LogBearers extends Bearers {
  private index = new Map<string, Token>();
  private indexed: ProjectState | null = null;
  private indexedPosition = -1;

  constructor(
    private readonly store: Pick<EventStore, 'project'>,
    private readonly now: () => number,
  ) {
    super();
  }

  override async authenticate(secret: string): Promise<Caller | null> {
    const { state, head } = await this.store.project(SYSTEM_PROJECT);
    this.reindex(state, head?.position ?? 0);
    const hash = secretHash(secret);
    const token = this.index.get(hash);
    if (!token || !isSameHash(token.secretHash, hash)) return null;
    if (token.status === 'revoked') return null;
    if (token.expiresAt !== undefined && token.expiresAt <= this.now()) return null;
    return { tokenId: token.id, role: token.role, project: token.project ?? null };
  }

  private reindex(state: ProjectState, position: number): void {
    if (state === this.indexed && position === this.indexedPosition) return;
    this.index = new Map([...state.tokens.values()].map((token) => [token.secretHash, token]));
    this.indexed = state;
    this.indexedPosition = position;
  }
}
