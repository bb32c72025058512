import { z } from 'zod';

/** One token of a NATS subject as DESIGN.md §2 allows it. */
export const subjectToken = z.string().regex(/^[a-z0-9_-]{1,64}$/, 'must match [a-z0-9_-]{1,64}');

/** Name of a project or channel as a person types it. Never starts with `_`: such names are the installation's own. */
export const slug = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    'must be 1 to 63 characters of a-z, 0-9 and "-", starting with a letter or digit',
  );

/** The chain of facts that belong to the installation and to no project (tokens). */
export const SYSTEM_PROJECT = '_system';

/** A project as it stands in an event: a slug, or the installation's own chain. */
export const projectName = z.union([slug, z.literal(SYSTEM_PROJECT)]);

/** UUIDv7, lower case: sorts by time of creation. */
export const uuidV7 = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'must be a UUIDv7');

/** Chosen by the caller, so any UUID version is taken. */
export const commandId = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'must be a UUID');

/** Identifier of a code path, as application code spells it; appears in payloads only, never in a subject. */
export const flagKey = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$/, 'must be 1 to 200 characters of A-Z a-z 0-9 . _ : / -');

/** Attribute of an evaluation context as a rule reads it; a dot leads into an object. */
export const attributeName = z.string().min(1).max(200);

export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex');

/** Parts per million of the deployed base, 0 to 1,000,000. */
export const weightPpm = z.int().min(0).max(1_000_000);

/** Milliseconds since the Unix epoch. */
export const epochMs = z.int().min(0);

/** Why somebody did it: a sentence, kept for ever. */
export const why = z.string().min(1).max(2_000);
