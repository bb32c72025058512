import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { type DynamicModule, type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HealthController } from '../health/health.controller.js';
import { HealthRegistry } from '../health/health-registry.js';
import { applyBodyLimits } from '../http/body-limit.js';
import { answerClientError } from '../http/client-error.js';
import { correlationIdOf } from '../http/correlation.js';
import { acceptGzip } from '../http/gzip-body.js';
import { limitJsonDepth } from '../http/json-depth.js';
import { ProblemFilter, sendProblem } from '../http/problem-filter.js';
import { validationPipe } from '../http/validation.js';
import { type Log, Log as LogToken, processLog } from '../log/log.js';
import { nestLog } from '../log/nest-log.js';
import { Metrics } from '../metrics/metrics.js';
import { observeRequests } from '../metrics/observe-requests.js';
import { Shutdown } from './shutdown.js';
import { readTls, type TlsContent, type TlsFiles, watchTls } from './tls-files.js';

export interface ServiceOptions {
  readonly name: string;
  readonly modules: ReadonlyArray<Type | DynamicModule>;
  readonly host?: string;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Serve HTTPS from these files; renewed ones are taken up without a restart. */
  readonly tls?: TlsFiles | null;
  readonly log?: Log;
  readonly newId?: () => string;
  /** How long open requests may go on after close() began. */
  readonly drainMs?: number;
  readonly bodyLimitBytes?: number;
  /** How long a request may take to come in whole. */
  readonly requestTimeoutMs?: number;
  /** Given the server before any route exists: for content type parsers and hooks of a protocol. */
  readonly prepare?: (fastify: FastifyInstance) => void;
}

export interface RunningService {
  readonly url: string;
  readonly port: number;
  readonly app: INestApplication;
  readonly fastify: FastifyInstance;
  readonly health: HealthRegistry;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Stops taking requests, ends streams, waits for the rest up to `drainMs`, then runs the modules' onApplicationShutdown. */
  close(): Promise<void>;
}

const DEFAULT_BODY_LIMIT = 1_048_576;
const DEFAULT_DRAIN_MS = 5_000;
const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
const MAX_LOOK_EVERY_MS = 5_000;

/**
 * One Nest application on one port with everything that each of our services owes its operator: /healthz, /readyz, /metrics,
 * problems for errors, checked input, a redacting log. `HealthRegistry`, `Metrics`, `Log` and `Shutdown` can be injected anywhere.
 */
export const runService = async (options: ServiceOptions): Promise<RunningService> => {
  const log = options.log ?? processLog(options.name);
  const health = new HealthRegistry();
  const metrics = new Metrics();
  const shutdown = new Shutdown();
  metrics.collectProcess();
  const content = options.tls ? readTls(options.tls) : null;
  const adapter = openAdapter(options, content, log, metrics);
  const root = rootModule(options.modules, { log, health, metrics, shutdown });
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: nestLog(log),
    abortOnError: false,
  });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter(log));
  try {
    await app.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  } catch (cause) {
    shutdown.begin();
    await app.close();
    throw cause;
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  const host = options.host ?? '127.0.0.1';
  const forgetTls = options.tls ? renewTls(options.tls, app, log) : () => {};
  let closing: Promise<void> | undefined;
  return {
    url: `${content ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    app,
    fastify: adapter.getInstance() as unknown as FastifyInstance,
    health,
    metrics,
    log,
    close: () => {
      forgetTls();
      closing ??= closeBounded(app, shutdown, options.drainMs ?? DEFAULT_DRAIN_MS);
      return closing;
    },
  };
};

const renewTls = (files: TlsFiles, app: INestApplication, log: Log): (() => void) =>
  watchTls(
    files,
    (renewed) => {
      (app.getHttpServer() as TlsServer).setSecureContext(renewed);
      log.info('a renewed certificate is in use', { file: files.certFile });
    },
    (reason) => log.error('a changed certificate is not used; the old one serves on', { reason }),
  );

const openAdapter = (
  options: ServiceOptions,
  content: TlsContent | null,
  log: Log,
  metrics: Metrics,
): FastifyAdapter => {
  const newId = options.newId ?? randomUUID;
  const requestTimeout = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
  // Node looks every 30 s unless told otherwise, and gives headers a minute whatever a request may take.
  const timeouts = {
    requestTimeout,
    headersTimeout: requestTimeout,
    connectionsCheckingInterval: Math.min(requestTimeout, MAX_LOOK_EVERY_MS),
  };
  const adapter = new FastifyAdapter({
    ...(content ? { https: { ...content, ...timeouts } } : { http: timeouts }),
    bodyLimit: options.bodyLimitBytes ?? DEFAULT_BODY_LIMIT,
    genReqId: correlationIdOf(newId),
    // A malformed URL never reaches Nest, and with it the filter.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(log, error, request, reply),
    clientErrorHandler: answerClientError(newId),
    requestTimeout,
    routerOptions: { maxParamLength: 700 },
  });
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('x-correlation-id', request.id).header('x-content-type-options', 'nosniff');
    done();
  });
  applyBodyLimits(fastify);
  acceptGzip(fastify);
  limitJsonDepth(fastify);
  observeRequests(fastify, metrics);
  options.prepare?.(fastify);
  return adapter;
};

interface Parts {
  readonly log: Log;
  readonly health: HealthRegistry;
  readonly metrics: Metrics;
  readonly shutdown: Shutdown;
}

const rootModule = (
  modules: ServiceOptions['modules'],
  { log, health, metrics, shutdown }: Parts,
): DynamicModule => {
  @Module({})
  class ServiceParts {}
  @Module({})
  class ServiceRoot {}
  const providers = [
    { provide: LogToken, useValue: log },
    { provide: HealthRegistry, useValue: health },
    { provide: Metrics, useValue: metrics },
    { provide: Shutdown, useValue: shutdown },
  ];
  const parts: DynamicModule = {
    module: ServiceParts,
    global: true,
    providers,
    exports: providers.map(({ provide }) => provide),
    controllers: [HealthController],
  };
  return { module: ServiceRoot, imports: [parts, ...modules] };
};

const closeBounded = async (app: INestApplication, shutdown: Shutdown, drainMs: number): Promise<void> => {
  shutdown.begin();
  const server = app.getHttpServer() as { closeAllConnections(): void; closeIdleConnections(): void };
  server.closeIdleConnections();
  const cutOff = setTimeout(() => server.closeAllConnections(), drainMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cutOff);
  }
};
