import { SYSTEM_PROJECT, type TokenView } from '@headgate/contracts';
import { viewToken } from '@headgate/domain';
import { type EventStore, WritesRefused } from '@headgate/event-store';
import { type Log, secretHash } from '@headgate/service-kit';

export interface AdminParts {
  readonly store: Pick<EventStore, 'project' | 'handle'>;
  readonly newId: () => string;
  readonly random: (bytes: number) => Buffer;
}

export interface NewAdmin {
  readonly id: string;
  readonly secret: string;
}

/**
 * An admin token for an installation that has never had a token; `null` for any other, and for one whose log was lost: it had tokens,
 * which come back with `headgate log restore`.
 */
export const firstAdmin = async (parts: AdminParts, log: Log): Promise<NewAdmin | null> => {
  const { state } = await parts.store.project(SYSTEM_PROJECT);
  if (state.tokens.size > 0) return null;
  try {
    return await createAdmin(parts, 'first admin', 'made at first start');
  } catch (cause) {
    if (!(cause instanceof WritesRefused)) throw cause;
    log.error('the log is behind its archive or its flags', { reason: cause.message });
    return null;
  }
};

/** For who lost all tokens and owns the machine. Each use is an event of the log like any other token. */
export const recoverAdmin = async (parts: AdminParts): Promise<TokenView & { readonly secret: string }> => {
  const { id, secret } = await createAdmin(
    parts,
    'recovered admin',
    'recovered on the machine of the installation',
  );
  const { state } = await parts.store.project(SYSTEM_PROJECT);
  const token = state.tokens.get(id);
  if (!token) throw new Error(`token ${id} was acknowledged and is not in the log`);
  return { ...viewToken(token), secret };
};

const createAdmin = async (
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
