import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  HealthRegistry,
  Log,
  Metrics,
  RequestRefused,
  Shutdown,
  sendProblem,
} from '@headgate/service-kit';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ChannelDirectory } from '../channels/channel-directory.js';
import type { ServedChannel } from '../channels/served-channel.js';
import { openSse } from '../fan-out/open-sse.js';
import { GATEWAY_OPTIONS, type GatewayOptions } from '../gateway-options.js';

const HEARTBEAT_MS = 15_000;
const DEFAULT_MAX_CLIENTS = 15_000;
const MAX_RETRY_AFTER_SECONDS = 10;

interface Named {
  readonly Params: { readonly project: string; readonly channel: string };
}

/**
 * `GET /flags/<project>/<channel>/`: a stream of what changes when asked for `text/event-stream`, else the whole state with an
 * ETag. Fastify routes of their own in place of a controller: bytes are prepared once and go out as they are.
 */
@Injectable()
export class FlagsRoute implements OnModuleInit, OnApplicationShutdown {
  private clients = 0;
  private readonly maxClients: number;
  private readonly heartbeat: NodeJS.Timeout;

  constructor(
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
    @Inject(ChannelDirectory) private readonly directory: ChannelDirectory,
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(Log) private readonly log: Log,
    @Inject(Metrics) metrics: Metrics,
    @Inject(HealthRegistry) health: HealthRegistry,
    @Inject(Shutdown) shutdown: Shutdown,
  ) {
    this.maxClients = options.maxClients ?? DEFAULT_MAX_CLIENTS;
    metrics.gauge({
      name: 'headgate_gateway_clients',
      help: 'Open event streams',
      read: () => this.clients,
    });
    health.ready('channels', () => {
      const serving = directory.serving().length;
      return { ok: serving > 0 || directory.isComplete, detail: `${serving} served` };
    });
    this.heartbeat = setInterval(() => {
      for (const channel of directory.serving()) channel.broadcast.heartbeat();
    }, options.heartbeatMs ?? HEARTBEAT_MS);
    shutdown.signal.addEventListener('abort', () => directory.endStreams());
  }

  onModuleInit(): void {
    const fastify = this.http.httpAdapter.getInstance() as FastifyInstance;
    void fastify.register(async (scope) => {
      scope.setErrorHandler((error: Error, request, reply) => sendProblem(this.log, error, request, reply));
      for (const path of ['/flags/:project/:channel', '/flags/:project/:channel/']) {
        scope.get<Named>(path, { exposeHeadRoute: false }, (request, reply) => this.serve(request, reply));
      }
      scope.get<Named>('/flags/:project/:channel/trust', { exposeHeadRoute: false }, (request, reply) =>
        this.trust(request, reply),
      );
    });
  }

  onApplicationShutdown(): void {
    clearInterval(this.heartbeat);
  }

  private async serve(
    request: FastifyRequest<Named>,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> {
    const channel = this.find(request.params);
    if (!(request.headers.accept ?? '').includes('text/event-stream'))
      return this.state(channel, request, reply);
    if (this.clients >= this.maxClients) {
      // Spread out, or those turned away would all come back at once.
      const seconds = 1 + Math.floor(this.options.random() * MAX_RETRY_AFTER_SECONDS);
      reply.header('retry-after', String(seconds));
      throw new RequestRefused('too-many-requests', `${this.clients} clients are connected already.`);
    }
    this.stream(channel, request, reply);
    return undefined;
  }

  private stream(channel: ServedChannel, request: FastifyRequest, reply: FastifyReply): void {
    const id = request.headers['last-event-id'];
    const socket = openSse(reply);
    this.clients += 1;
    const leave = channel.broadcast.join(socket, typeof id === 'string' ? id : undefined);
    socket.once('close', () => {
      this.clients -= 1;
      leave();
    });
  }

  private state(channel: ServedChannel, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const encoded = channel.broadcast.state();
    if (encoded === null) throw notFound(channel.address);
    reply.header('etag', encoded.etag).header('cache-control', 'no-cache').header('vary', 'accept');
    if (request.headers['if-none-match'] === encoded.etag) return reply.code(304).send();
    return reply.header('content-type', 'application/json; charset=utf-8').send(encoded.body);
  }

  private async trust(request: FastifyRequest<Named>, reply: FastifyReply): Promise<FastifyReply> {
    const { broadcast } = this.find(request.params);
    reply.header('cache-control', 'no-cache').header('content-type', 'application/json; charset=utf-8');
    return reply.send(broadcast.trustBody);
  }

  private find({ project, channel }: Named['Params']): ServedChannel {
    const found = this.directory.find(project, channel);
    if (found) return found;
    if (this.directory.isComplete) throw notFound({ project, channel });
    throw new RequestRefused('log-unavailable', 'The channels of this gateway are not all known yet.');
  }
}

const notFound = ({ project, channel }: { readonly project: string; readonly channel: string }): Error =>
  new RequestRefused('not-found', `There is no channel ${project}/${channel} here.`);
