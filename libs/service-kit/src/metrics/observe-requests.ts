import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.js';

/** Counts and times every request by its route's pattern, never by its raw path, which anybody could make up. */
export const observeRequests = (fastify: FastifyInstance, metrics: Metrics): void => {
  const seconds = metrics.histogram({
    name: 'headgate_http_request_seconds',
    help: 'Time until the answer was sent, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    seconds.observe(
      { method: request.method, route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) },
      reply.elapsedTime / 1_000,
    );
    done();
  });
};
