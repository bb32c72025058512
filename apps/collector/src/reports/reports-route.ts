import { REPORT_LIMITS } from '@headgate/contracts';
import {
  type Caller,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  Log,
  Metrics,
  RequestRefused,
  sendProblem,
} from '@headgate/service-kit';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { authenticate } from '../authenticate.js';
import { COLLECTOR_OPTIONS, type CollectorOptions } from '../collector-options.js';
import { refusedAppend } from '../refused-append.js';
import { type ReceivedReport, readReports } from './read-reports.js';
import { PackerFull, ReportPacker } from './report-packer.js';

const PATH = '/telemetry/v1/reports';

/**
 * `POST /telemetry/v1/reports` → 202 `{accepted}` once the server has acknowledged every report. A Fastify route of its own in
 * place of a controller: this door takes the whole fleet's traffic, and wants the body as bytes.
 */
@Injectable()
export class ReportsRoute implements OnModuleInit, OnApplicationShutdown {
  readonly #packer: ReportPacker;
  readonly #maxRequests: number;
  readonly #accepted: { inc(by: number): void };
  #requests = 0;

  constructor(
    @Inject(COLLECTOR_OPTIONS) private readonly options: CollectorOptions,
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(Log) private readonly log: Log,
    @Inject(Metrics) metrics: Metrics,
  ) {
    const { append, clock, limits } = options;
    this.#packer = new ReportPacker({ append, clock, ...(limits ? { limits } : {}) });
    this.#maxRequests = options.maxRequestsInFlight ?? 2_000;
    this.#accepted = metrics.counter({
      name: 'headgate_reports_accepted_total',
      help: 'Reports in TELEMETRY',
    });
    metrics.gauge({
      name: 'headgate_reports_held_bytes',
      help: 'Bytes of reports that wait for an acknowledgement',
      read: () => this.#packer.heldBytes,
    });
  }

  onModuleInit(): void {
    const fastify = this.http.httpAdapter.getInstance() as FastifyInstance;
    // A context of its own: its parser and its error handler are nobody else's.
    void fastify.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      scope.setErrorHandler((error: Error, request, reply) => sendProblem(this.log, error, request, reply));
      scope.post(
        PATH,
        {
          config: {
            bodyLimitBytes: REPORT_LIMITS.maxBodyBytes,
            compressedLimitBytes: REPORT_LIMITS.maxCompressedBytes,
          },
          onRequest: (request, reply) => this.#admit(request, reply),
        },
        (request, reply) => this.#take(request, reply),
      );
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#packer.close();
  }

  /** Before a byte of the body is read: a stranger costs nothing, and a flood is turned away at the door. */
  async #admit(request: FastifyRequest & WithCaller, reply: FastifyReply): Promise<void> {
    if (this.#requests >= this.#maxRequests)
      throw new RequestRefused('too-many-requests', `${this.#requests} requests are being taken already.`);
    this.#requests += 1;
    reply.raw.once('close', () => {
      this.#requests -= 1;
    });
    request.caller = await authenticate(request, this.options.bearers);
  }

  async #take(request: FastifyRequest & WithCaller, reply: FastifyReply): Promise<FastifyReply> {
    const type = request.headers['content-type'];
    if (type !== undefined && !/^application\/json\s*(;|$)/i.test(type))
      throw new RequestRefused('invalid-input', 'content-type: must be application/json');
    const body = request.body;
    const reports = readReports(Buffer.isBuffer(body) ? body : Buffer.alloc(0));
    this.#refuseStrangers(reports, request.caller);
    try {
      await this.#packer.add(reports);
    } catch (cause) {
      throw refusal(cause);
    }
    this.#accepted.inc(reports.length);
    return reply
      .code(202)
      .header('content-type', 'application/json; charset=utf-8')
      .send(`{"accepted":${reports.length}}`);
  }

  #refuseStrangers(reports: readonly ReceivedReport[], caller: Caller | undefined): void {
    const project = caller?.project ?? null;
    if (project === null) return;
    const stranger = reports.findIndex((report) => report.project !== project);
    if (stranger >= 0)
      throw new RequestRefused(
        'forbidden',
        `reports[${stranger}].project: the token is for "${project}" only.`,
      );
  }
}

interface WithCaller {
  caller?: Caller;
}

const refusal = (cause: unknown): Error =>
  cause instanceof PackerFull ? new RequestRefused('too-many-requests', cause.message) : refusedAppend(cause);
