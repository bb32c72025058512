import { Refusal } from './refusal.js';

/** As it came (bytes or text of JSON) or already parsed from JSON. */
export type Offered = unknown;

interface Schema<T> {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false;
        readonly error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] };
      };
}

/** The offered value in its schema, its size checked before it is parsed. Throws a `Refusal`. */
export function parseOffered<T>(schema: Schema<T>, offered: Offered, maxBytes: number): T {
  const value = isText(offered) ? parseJson(offered, maxBytes) : offered;
  let parsed: ReturnType<Schema<T>['safeParse']>;
  try {
    parsed = schema.safeParse(value);
  } catch (error) {
    // Nesting deep enough to end the stack of a recursive schema.
    throw new Refusal('malformed', `cannot be read: ${(error as Error).message}`);
  }
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Refusal('malformed', `${issue?.path.join('.') || 'value'}: ${issue?.message}`);
}

const isText = (offered: Offered): offered is string | Uint8Array =>
  typeof offered === 'string' || offered instanceof Uint8Array;

function parseJson(text: string | Uint8Array, maxBytes: number): unknown {
  const bytes = typeof text === 'string' ? Buffer.byteLength(text) : text.length;
  if (bytes > maxBytes) throw new Refusal('too-large', `${bytes} bytes, at most ${maxBytes} allowed`);
  try {
    return JSON.parse(typeof text === 'string' ? text : Buffer.from(text).toString('utf8'));
  } catch (error) {
    throw new Refusal('malformed', `not JSON: ${(error as Error).message}`);
  }
}
