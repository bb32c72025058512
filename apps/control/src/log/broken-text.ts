/**
 * Dotted path to the first text or name that holds half of a surrogate pair or a NUL; null when there is none. JSON can carry both, but
 * half a pair has no UTF-8 form and so no canonical bytes to sign, and Postgres keeps no NUL: the projector would stop at it for ever.
 */
export const brokenText = (value: unknown, path = ''): string | null => {
  if (typeof value === 'string') return /[\p{Surrogate}\0]/u.test(value) ? path : null;
  if (value === null || typeof value !== 'object') return null;
  for (const [name, part] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`;
    if (brokenText(name) !== null) return path;
    const found = brokenText(part, at);
    if (found !== null) return found;
  }
  return null;
};
