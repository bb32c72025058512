/**
 * Dotted path to the first text or name that holds half of a surrogate pair; null when there is none. JSON can carry such a text, but it
 * has no UTF-8 form and so no canonical bytes to sign.
 */
export const brokenText = (value: unknown, path = ''): string | null => {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value) ? path : null;
  if (value === null || typeof value !== 'object') return null;
  for (const [name, part] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`;
    if (brokenText(name) !== null) return path;
    const found = brokenText(part, at);
    if (found !== null) return found;
  }
  return null;
};
