import { gatewayUsageBatch, REPORT_LIMITS } from '@headgate/contracts';
import {
  type Caller,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  InvalidInput,
  Log,
  RequestRefused,
  sendProblem,
} from '@headgate/service-kit';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { authenticate } from '../authenticate.js';
import { COLLECTOR_OPTIONS, type CollectorOptions } from '../collector-options.js';
import { refusedAppend } from '../refused-append.js';
import { appendUsageTo } from './append-usage.js';

const PATH = '/telemetry/v1/usage';
const MOST_DETAILS = 10;

/** `POST /telemetry/v1/usage` → 202 `{accepted}`: gateways tell what they evaluated for clients that do not report themselves. */
@Injectable()
export class UsageRoute implements OnModuleInit {
  constructor(
    @Inject(COLLECTOR_OPTIONS) private readonly options: CollectorOptions,
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(Log) private readonly log: Log,
  ) {}

  onModuleInit(): void {
    const fastify = this.http.httpAdapter.getInstance() as FastifyInstance;
    // A context of its own: its parser and its error handler are nobody else's.
    void fastify.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
        done(null, body),
      );
      scope.setErrorHandler((error: Error, request, reply) => sendProblem(this.log, error, request, reply));
      scope.post(
        PATH,
        {
          config: {
            bodyLimitBytes: REPORT_LIMITS.maxBodyBytes,
            compressedLimitBytes: REPORT_LIMITS.maxCompressedBytes,
          },
          // Before a byte of the body is read: a stranger costs nothing.
          onRequest: async (request: FastifyRequest & WithCaller) => {
            request.caller = await authenticate(request, this.options.bearers);
          },
        },
        (request, reply) => this.#take(request, reply),
      );
    });
  }

  async #take(request: FastifyRequest & WithCaller, reply: FastifyReply): Promise<FastifyReply> {
    const { append, clock } = this.options;
    const project = request.caller?.project ?? null;
    const { usage } = readBatch(request.body);
    if (project !== null && usage.some((one) => one.project !== project))
      throw new RequestRefused('forbidden', `The token is for project "${project}" only.`);
    await appendUsageTo(
      append,
      clock,
    )(usage).catch((cause: unknown) => {
      throw refusedAppend(cause);
    });
    return reply.code(202).send({ accepted: usage.length });
  }
}

interface WithCaller {
  caller?: Caller;
}

const readBatch = (body: unknown) => {
  const parsed = gatewayUsageBatch.safeParse(parse(body));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues
    .slice(0, MOST_DETAILS)
    .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new InvalidInput(lines[0] ?? 'body: is not a list of usage', lines);
};

const parse = (body: unknown): unknown => {
  try {
    return JSON.parse(Buffer.isBuffer(body) ? body.toString('utf8') : '');
  } catch {
    throw new InvalidInput('body: is not JSON', ['body: is not JSON']);
  }
};
