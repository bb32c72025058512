import { randomBytes } from 'node:crypto';

/** A source of UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, 74 random ones. Clock and randomness are handed in. */
export const uuidV7Source =
  (now: () => number, random: (bytes: number) => Buffer = randomBytes) =>
  (): string => {
    const bytes = Buffer.alloc(16);
    bytes.writeUIntBE(Math.floor(now()), 0, 6);
    random(10).copy(bytes, 6);
    bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
    bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
    const hex = bytes.toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
