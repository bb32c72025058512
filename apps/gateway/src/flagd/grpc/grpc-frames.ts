import { FlagdRefused } from './grpc-status.js';

/** Bytes before each message: one for compression, four for its length. */
export const FRAME_HEAD = 5;

/** One message as gRPC and Connect's streams send it, ready for any number of clients. */
export const frameOf = (parts: readonly Uint8Array[], flags = 0): Buffer => {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const frame = Buffer.allocUnsafe(FRAME_HEAD + length);
  frame.writeUInt8(flags, 0);
  frame.writeUInt32BE(length, 1);
  let at = FRAME_HEAD;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
};

/** The one message of a request. Throws `FlagdRefused` for none, several, a cut one, or one that is compressed. */
export const messageOf = (body: Buffer): Buffer => {
  if (body.length < FRAME_HEAD) throw new FlagdRefused('invalidArgument', 'the request carries no message');
  if (body.readUInt8(0) !== 0)
    throw new FlagdRefused('unimplemented', 'compressed requests are not taken; send them as they are');
  if (body.readUInt32BE(1) !== body.length - FRAME_HEAD)
    throw new FlagdRefused('invalidArgument', 'the request is not exactly one message');
  return body.subarray(FRAME_HEAD);
};

/** A length-delimited field of a message, without its content. */
export const fieldHead = (number: number, length: number): Buffer => {
  const bytes = [(number << 3) | 2];
  let rest = length;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
};
