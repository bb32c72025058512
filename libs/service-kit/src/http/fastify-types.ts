/** The HTTP server's own types, so that apps need no dependency on Fastify itself. */
export type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
