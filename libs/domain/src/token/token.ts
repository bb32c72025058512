import type { LogEvent, TokenRole } from '@headgate/contracts';

interface TokenCommon {
  readonly id: string;
  readonly name: string;
  readonly role: TokenRole;
  /** Absent: every project. */
  readonly project?: string;
  readonly secretHash: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
}

export type Token =
  | (TokenCommon & { readonly status: 'active' })
  | (TokenCommon & { readonly status: 'revoked'; readonly revokedAt: number });

export type TokenEvent = Extract<LogEvent, { type: 'token-created.v1' | 'token-revoked.v1' }>;

export const evolveToken = (state: Token | undefined, event: TokenEvent): Token => {
  if (event.type === 'token-created.v1') {
    const { name, role, project, secretHash, expiresAt } = event.data;
    return {
      status: 'active',
      id: event.aggregateId,
      name,
      role,
      ...(project === undefined ? {} : { project }),
      secretHash,
      createdAt: event.at,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
  }
  if (!state)
    throw new Error(
      `${event.type} at position ${event.position}: token ${event.aggregateId} was never created`,
    );
  return { ...state, status: 'revoked', revokedAt: event.at };
};
