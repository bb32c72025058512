import type { FastifyInstance, FastifyRequest } from 'fastify';
import { InvalidInput } from './input-errors.js';

/** More than anything that we take; far less than what recursive readers, such as schemas, can stand. */
const MAX_DEPTH = 200;

/**
 * Refuses bodies that are nested too deep, before a schema or a handler sees them: a stack that overflows there is a fault of ours.
 * Bodies that a route wants as text or bytes are looked at as such.
 */
export const limitJsonDepth = (fastify: FastifyInstance): void => {
  fastify.addHook('preValidation', (request, _reply, done) => {
    const depth = depthOfBody(request);
    if (depth <= MAX_DEPTH) done();
    else done(new InvalidInput(`The body is nested ${depth} levels deep; at most ${MAX_DEPTH} are taken.`));
  });
};

const depthOfBody = ({ body, headers }: FastifyRequest): number => {
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return depthOfValue(body);
  const type = headers['content-type'];
  if (type !== undefined && !/^application\/json\s*(;|$)/i.test(type)) return 0;
  return depthOfText(typeof body === 'string' ? Buffer.from(body) : body);
};

/** Level by level, not by recursion, which is what it is to prevent. */
const depthOfValue = (value: unknown): number => {
  let depth = 0;
  let level = [value].filter(isContainer);
  while (level.length > 0) {
    depth += 1;
    const next: object[] = [];
    for (const container of level)
      for (const child of Object.values(container)) if (isContainer(child)) next.push(child);
    level = next;
  }
  return depth;
};

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Of JSON in UTF-8; of anything else some number. */
const depthOfText = (bytes: Buffer): number => {
  let [depth, deepest, isInString] = [0, 0, false];
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (isInString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if (OPENING.has(byte)) deepest = Math.max(deepest, ++depth);
    else if (CLOSING.has(byte)) depth -= 1;
  }
  return deepest;
};
