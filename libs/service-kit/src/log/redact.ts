import { isError } from './is-error.js';

const SECRET_KEY =
  /^(authorization|cookie|set-cookie|pem|salt|siteSalt|passphrase|.*(password|secret|privateKey|private_key|token|apiKey))$/i;
/** Names that end in "token" but hold none. */
const HARMLESS_KEY = /^(subjectToken|hasToken)$/;
const MASK = '[redacted]';
const MAX_DEPTH = 8;

/** Our own tokens, bearer headers, passwords inside URLs and private keys, wherever they stand in a text. */
export const redactText = (text: string): string =>
  text
    .replaceAll(/\bhg_[A-Za-z0-9_-]{8,}/g, `hg_${MASK}`)
    .replaceAll(/\b(Bearer)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${MASK}`)
    .replaceAll(/(authorization["']?\s*[:=]\s*["']?[a-z]+)\s+[A-Za-z0-9._~+/=-]+/gi, `$1 ${MASK}`)
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^:@/\s]*):[^@/\s]+@/gi, `$1:${MASK}@`)
    .replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, MASK);

/** A copy that is safe to print or store: by field name and by content. Cuts what is nested deeper than eight levels. */
export const redact = <T extends Readonly<Record<string, unknown>>>(fields: T): Record<string, unknown> =>
  redactValue(fields, 0, new Set()) as Record<string, unknown>;

const redactValue = (value: unknown, depth: number, above: Set<object>): unknown => {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (isError(value)) return redactError(value, depth, above);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (depth >= MAX_DEPTH || above.has(value)) return '[cut]';
  above.add(value);
  const safe = Array.isArray(value)
    ? value.map((item) => redactValue(item, depth + 1, above))
    : Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          key,
          SECRET_KEY.test(key) && !HARMLESS_KEY.test(key) && item !== null && item !== undefined
            ? MASK
            : redactValue(item, depth + 1, above),
        ]),
      );
  above.delete(value);
  return safe;
};

const redactError = (error: Error, depth: number, above: Set<object>): Record<string, unknown> => ({
  name: error.name,
  message: redactText(error.message),
  ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
  ...('code' in error ? { code: redactValue(error.code, depth + 1, above) } : {}),
  ...(error.cause === undefined || depth >= MAX_DEPTH
    ? {}
    : { cause: redactValue(error.cause, depth + 1, above) }),
});
