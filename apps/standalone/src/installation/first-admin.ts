import { SYSTEM_PROJECT } from '@headgate/contracts';
import type { EventStore } from '@headgate/event-store';
import { secretHash } from '@headgate/service-kit';

export interface AdminParts {
  readonly store: Pick<EventStore, 'project' | 'handle'>;
  readonly newId: () => string;
  readonly random: (bytes: number) => Buffer;
}

export interface NewAdmin {
  readonly id: string;
  readonly secret: string;
}

/** An admin token for an installation that has never had a token; `null` for any other. Its secret is known to the caller only. */
export const firstAdmin = async (parts: AdminParts): Promise<NewAdmin | null> => {
  const { state } = await parts.store.project(SYSTEM_PROJECT);
  if (state.tokens.size > 0) return null;
  return createAdmin(parts, 'first admin', 'made at first start');
};

export const createAdmin = async (
  { store, newId, random }: AdminParts,
  name: string,
  why: string,
): Promise<NewAdmin> => {
  const secret = `hg_${random(32).toString('base64url')}`;
  const { id } = await store.handle(
    {
      type: 'create-token',
      project: SYSTEM_PROJECT,
      tokenId: newId(),
      name,
      role: 'admin',
      secretHash: secretHash(secret),
      why,
    },
    { commandId: newId(), actor: 'installation' },
  );
  return { id, secret };
};
