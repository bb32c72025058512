import { type EventEnvelope, eventEnvelope } from '@headgate/contracts';

/** The archive's text of an event: its bytes in the log, which the reader has found to be UTF-8. */
export const writtenText = (written: Uint8Array): string => Buffer.from(written).toString('utf8');

/** Back from the text, as the log's own reader takes it: a byte order mark is no part of the JSON. Throws for what is no event. */
export const parseWritten = (text: string): EventEnvelope =>
  eventEnvelope.parse(JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text));
