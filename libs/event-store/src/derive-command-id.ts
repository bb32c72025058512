import { createHash } from 'node:crypto';

/**
 * The command id of a command that follows from the log: whoever draws the same conclusion, now or after a restart, sends it under
 * the same id, and the log takes it once. A UUIDv8 (RFC 9562 §5.8) of the SHA-256 over the parts.
 */
export const deriveCommandId = (...parts: readonly (string | number)[]): string => {
  const bytes = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes[6] = 0x80 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};
