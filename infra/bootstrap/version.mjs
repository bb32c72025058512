/**
 * Reads the first dotted version in a text ("v20.19.0", "nats-server: v2.15.1", "2.36"), or undefined if there is none.
 *
 * @param {string} text
 * @returns {readonly [number, number, number] | undefined}
 */
export function parseVersion(text) {
  const found = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)] : undefined;
}

/**
 * True when `text` names a version that is at least `minimum`; a text without a version is never new enough.
 *
 * @param {string} text
 * @param {string} minimum
 */
export function isAtLeast(text, minimum) {
  const actual = parseVersion(text);
  const floor = parseVersion(minimum);
  if (!floor) throw new Error(`"${minimum}" is not a version`);
  if (!actual) return false;
  for (let i = 0; i < 3; i += 1) {
    const difference = (actual[i] ?? 0) - (floor[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
