import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';

interface BodyLimitConfig {
  readonly bodyLimitBytes?: number;
  readonly compressedLimitBytes?: number;
}

/** Limits of one route's body, in bytes after and before decompression. */
export const BodyLimit = (bodyLimitBytes: number, compressedLimitBytes = bodyLimitBytes): MethodDecorator =>
  RouteConfig({ bodyLimitBytes, compressedLimitBytes } satisfies BodyLimitConfig) as MethodDecorator;

export const compressedLimit = (config: unknown): number | undefined =>
  (config as BodyLimitConfig | undefined)?.compressedLimitBytes;

/** Makes `@BodyLimit` count; to be called before routes are registered. */
export const applyBodyLimits = (fastify: FastifyInstance): void => {
  fastify.addHook('onRoute', (route) => {
    const limit = (route.config as BodyLimitConfig | undefined)?.bodyLimitBytes;
    if (limit !== undefined) route.bodyLimit = limit;
  });
};
