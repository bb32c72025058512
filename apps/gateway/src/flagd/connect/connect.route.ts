import { type FastifyInstance, type FastifyReply, type FastifyRequest, Log } from '@headgate/service-kit';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ChannelDirectory } from '../../channels/channel-directory.js';
import type { ServedChannel } from '../../channels/served-channel.js';
import { UsageCounter } from '../../flag-set/usage.js';
import { DEFAULT_REQUESTS_PER_SECOND, GATEWAY_OPTIONS, type GatewayOptions } from '../../gateway-options.js';
import { AddressLimits } from '../../http/address-limits.js';
import { allowOrigins, answerPreflight, corsHeaders } from '../../http/cors.js';
import { selectChannel } from '../channel-selector.js';
import { EVENT_STREAMS, type EvaluationMethod, evaluationMethods } from '../evaluation/evaluation-methods.js';
import { EventFeed } from '../evaluation/event-feed.js';
import { FlagMoments } from '../evaluation/flag-moments.js';
import { FlagdRefused } from '../grpc/grpc-status.js';
import { LiveStreams } from '../live-streams.js';
import { readRequest } from '../proto/proto-json.js';
import { connectEventSink } from './connect-events.js';
import { asRefused, connectError } from './connect-status.js';

const BASE = '/flags/:project/:channel';
const BODY_LIMIT_BYTES = 65_536;

interface Named {
  readonly Params: { readonly project: string; readonly channel: string };
  readonly Body: string;
}

/**
 * flagd.evaluation in the Connect protocol below each channel's address, for pages: JSON over the gateway's HTTP port. Contexts are
 * read, used and forgotten: nothing of them is logged or kept.
 */
@Injectable()
export class ConnectRoute implements OnModuleInit {
  private readonly limits: AddressLimits;

  constructor(
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
    @Inject(ChannelDirectory) private readonly directory: ChannelDirectory,
    @Inject(UsageCounter) private readonly usage: UsageCounter,
    @Inject(LiveStreams) private readonly streams: LiveStreams,
    @Inject(FlagMoments) private readonly moments: FlagMoments,
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(Log) private readonly log: Log,
  ) {
    const perSecond = options.requestsPerSecond ?? DEFAULT_REQUESTS_PER_SECOND;
    this.limits = new AddressLimits({ now: options.now, perSecond });
  }

  onModuleInit(): void {
    const fastify = this.http.httpAdapter.getInstance() as FastifyInstance;
    void fastify.register(async (scope) => {
      allowOrigins(scope, this.options.corsOrigins ?? []);
      scope.addHook('onRequest', (request, reply, done) => {
        const seconds = this.limits.take(request.ip);
        if (seconds === 0) return done();
        reply.header('retry-after', String(seconds));
        done(new FlagdRefused('resourceExhausted', 'this address sends too many requests'));
      });
      scope.setErrorHandler((error: Error, request, reply) => this.refuse(error, request, reply));
      // proto-JSON is read by its own rules; what a stream is opened with says nothing.
      scope.removeContentTypeParser('application/json');
      const asText = { parseAs: 'string' as const, bodyLimit: BODY_LIMIT_BYTES };
      scope.addContentTypeParser(
        ['application/json', 'application/connect+json'],
        asText,
        (_request, body, done) => done(null, body),
      );
      for (const [path, method] of evaluationMethods(this.usage))
        scope.post<Named>(`${BASE}/${path}`, (request, reply) => this.evaluate(request, reply, method));
      for (const path of EVENT_STREAMS) {
        scope.post<Named>(`${BASE}/${path}`, (request, reply) => this.stream(request, reply));
      }
      for (const version of ['v1', 'v2'])
        scope.options(`${BASE}/flagd.evaluation.${version}.Service/*`, (request, reply) =>
          answerPreflight(request, reply),
        );
    });
  }

  private async evaluate(
    request: FastifyRequest<Named>,
    reply: FastifyReply,
    { request: asked, answer }: EvaluationMethod,
  ): Promise<FastifyReply> {
    if (!isOfType(request, 'application/json'))
      throw new FlagdRefused('invalidArgument', 'send application/json');
    const channel = this.find(request.params);
    return sendJson(reply, answer(channel, readRequest(asked, request.body)));
  }

  private async stream(request: FastifyRequest<Named>, reply: FastifyReply): Promise<undefined> {
    if (!isOfType(request, 'application/connect+json'))
      throw new FlagdRefused('invalidArgument', 'send application/connect+json');
    const channel = this.find(request.params);
    this.streams.refuseBehind(channel);
    this.streams.refuseWhenFull(request.ip);
    const cors = corsHeaders(this.options.corsOrigins ?? [], request.headers.origin);
    const sink = connectEventSink(reply, cors);
    this.streams.add(
      request.ip,
      () =>
        // Pages ask for everything again after they are told: nothing older can be on its way to them then.
        new EventFeed(sink, channel, this.moments, this.options.now, null),
      (listener) => sink.onClose(listener),
    );
    return undefined;
  }

  private refuse(thrown: Error, request: FastifyRequest, reply: FastifyReply): void {
    const refused = asRefused(thrown);
    if (refused === null)
      this.log.error('request failed', { correlationId: request.id, method: request.method, error: thrown });
    const { http, body } = connectError(
      refused ?? new FlagdRefused('internal', `the server failed; see its log for ${request.id}`),
    );
    sendJson(reply.code(http), body);
  }

  private find({ project, channel }: Named['Params']): ServedChannel {
    return selectChannel(this.directory, `flagSetId=${project}/${channel}`);
  }
}

const isOfType = ({ headers }: FastifyRequest, type: string): boolean =>
  (headers['content-type'] ?? '').split(';')[0]?.trim() === type;

const sendJson = (reply: FastifyReply, body: object): FastifyReply =>
  reply.header('content-type', 'application/json').header('cache-control', 'no-store').send(body);
