import { types } from 'node:util';

/** Also true for errors of another realm, and for Fastify's, which are Errors by prototype only. */
export const isError = (value: unknown): value is Error =>
  value instanceof Error || types.isNativeError(value);
