import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  HealthRegistry,
  Log,
  RequestRefused,
  Shutdown,
  sendProblem,
} from '@headgate/service-kit';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ChannelDirectory } from '../channels/channel-directory.js';
import type { ServedChannel } from '../channels/served-channel.js';
import { openSse } from '../fan-out/open-sse.js';
import { GATEWAY_OPTIONS, type GatewayOptions, HEARTBEAT_MS } from '../gateway-options.js';
import { ClientSlots } from './client-slots.js';

interface Named {
  readonly Params: { readonly project: string; readonly channel: string };
}

/**
 * `GET /flags/<project>/<channel>/`: a stream of what changes when asked for `text/event-stream`, else the whole state with an
 * ETag. Fastify routes of their own in place of a controller: bytes are prepared once and go out as they are.
 */
@Injectable()
export class FlagsRoute implements OnModuleInit, OnApplicationShutdown {
  private readonly heartbeat: NodeJS.Timeout;

  constructor(
    @Inject(GATEWAY_OPTIONS) options: GatewayOptions,
    @Inject(ChannelDirectory) private readonly directory: ChannelDirectory,
    @Inject(ClientSlots) private readonly slots: ClientSlots,
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(Log) private readonly log: Log,
    @Inject(HealthRegistry) health: HealthRegistry,
    @Inject(Shutdown) shutdown: Shutdown,
  ) {
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
    const refusal = this.slots.refusal(request.ip);
    if (refusal !== null) {
      reply.header('retry-after', String(this.slots.retryAfterSeconds()));
      throw new RequestRefused('too-many-requests', refusal);
    }
    this.stream(channel, request, reply);
    return undefined;
  }

  private stream(channel: ServedChannel, request: FastifyRequest, reply: FastifyReply): void {
    const id = request.headers['last-event-id'];
    const socket = openSse(reply);
    const release = this.slots.take(request.ip);
    const leave = channel.broadcast.join(socket, typeof id === 'string' ? id : undefined);
    socket.once('close', () => {
      release();
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
