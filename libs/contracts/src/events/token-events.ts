import { z } from 'zod';
import { epochMs, sha256Hex, slug, why } from '../identifiers.js';
import { tolerant } from '../tolerant.js';

/** Ordered: each role may do what the ones before it may. */
export const TOKEN_ROLES = ['viewer', 'editor', 'releaser', 'admin'] as const;
export const tokenRole = z.enum(TOKEN_ROLES);
export type TokenRole = z.infer<typeof tokenRole>;

export const tokenCreatedV1 = tolerant({
  name: z.string().min(1).max(100),
  role: tokenRole,
  /** Absent: every project of the installation. */
  project: slug.optional(),
  /** SHA-256 of the whole secret; the secret itself is shown once and kept nowhere. */
  secretHash: sha256Hex,
  expiresAt: epochMs.optional(),
  why,
});
export const tokenRevokedV1 = tolerant({ why });
