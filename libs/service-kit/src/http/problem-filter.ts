import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../log/log.js';
import { toProblem } from './to-problem.js';

/** The only place where errors become HTTP. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(this.log, thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

export const sendProblem = (
  log: Log,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void => {
  const { status, body, isOurs } = toProblem(thrown, request.id);
  if (isOurs) logFailure(log, thrown, request, body.error.code);
  // A hijacked or half-sent answer cannot be turned into a problem any more: cut it, so that nobody takes it for whole.
  if (reply.sent || reply.raw.headersSent) {
    reply.raw.destroy();
    return;
  }
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="headgate"');
  if (status === 429 || status === 503) reply.header('retry-after', '1');
  reply.code(status).type('application/json; charset=utf-8').send(body);
};

/** A bug is told with its stack; a part that is away is told by name, as often as somebody asks for it. */
const logFailure = (log: Log, thrown: unknown, request: FastifyRequest, code: string): void => {
  const where = { correlationId: request.id, method: request.method, path: request.url?.split('?')[0], code };
  if (code === 'internal') log.error('request failed', { ...where, error: thrown });
  else log.warn('request not carried out', { ...where, reason: (thrown as Error).message });
};
