import type { Readable } from 'node:stream';
import { pipeline, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { compressedLimit } from './body-limit.js';
import { InvalidInput, TooLarge } from './input-errors.js';

/**
 * Accepts `Content-Encoding: gzip` on every route. The decompressed length is held to the route's body limit by Fastify while it
 * streams, so a zip bomb costs no more than that limit; the compressed length is held here.
 */
export const acceptGzip = (fastify: FastifyInstance): void => {
  fastify.addHook('preParsing', (request, _reply, payload, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding === undefined || encoding === 'identity') return done(null, payload);
    if (encoding !== 'gzip') {
      return done(
        new InvalidInput(
          `Content-Encoding "${String(encoding).slice(0, 40)}" is not known; use gzip or none.`,
        ),
      );
    }
    const limit = compressedLimit(request.routeOptions.config) ?? request.routeOptions.bodyLimit ?? 1_048_576;
    done(null, gunzipped(payload as Readable, limit));
  });
};

const gunzipped = (payload: Readable, limit: number): Transform => {
  const counted = Object.assign(createGunzip(), { receivedEncodedLength: 0 });
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      counted.receivedEncodedLength += chunk.length;
      if (counted.receivedEncodedLength > limit) {
        done(new TooLarge(`The compressed body is larger than ${limit} bytes.`));
      } else done(null, chunk);
    },
  });
  // Whoever answers without reading the body (an unknown content type) leaves nobody to hear a damaged one: not the process's end.
  counted.on('error', () => undefined);
  // Errors of all three reach Fastify through the last one.
  pipeline(payload, meter, counted, () => undefined);
  return counted;
};
