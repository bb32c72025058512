export interface DeliveryInfo {
  readonly streamSequence: number;
  readonly deliverySequence: number;
  readonly time: number;
  readonly pending: number;
}

const NANOS_PER_MS = 1_000_000;

/**
 * Reads a JetStream message's reply subject (ADR-15): `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<delivery seq>.<time>.<pending>`,
 * with `<domain>.<account>` before the stream and a random token behind in the longer form. Null for any other subject.
 */
export const readDeliveryInfo = (reply: string | undefined): DeliveryInfo | null => {
  if (reply === undefined || !reply.startsWith('$JS.ACK.')) return null;
  const tokens = reply.split('.');
  const at = tokens.length === 9 ? 5 : tokens.length >= 11 ? 7 : -1;
  if (at < 0) return null;
  return {
    streamSequence: Number(tokens[at]),
    deliverySequence: Number(tokens[at + 1]),
    // Nanoseconds since 1970 are above 2^53; a millisecond is all that anybody reads.
    time: Math.floor(Number(tokens[at + 2]) / NANOS_PER_MS),
    pending: Number(tokens[at + 3]),
  };
};
