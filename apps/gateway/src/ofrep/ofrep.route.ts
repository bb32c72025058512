import { flagKey } from '@headgate/contracts';
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  Log,
  Metrics,
} from '@headgate/service-kit';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ChannelDirectory } from '../channels/channel-directory.js';
import type { ServedChannel } from '../channels/served-channel.js';
import { openSse } from '../fan-out/open-sse.js';
import { UsageCounter } from '../flag-set/usage.js';
import { DEFAULT_REQUESTS_PER_SECOND, GATEWAY_OPTIONS, type GatewayOptions } from '../gateway-options.js';
import { AddressLimits } from '../http/address-limits.js';
import { ClientSlots } from '../http/client-slots.js';
import { allowOrigins, answerPreflight, corsHeaders } from '../http/cors.js';
import { becomes, reachesFreshness, readDemandedFreshness } from './demanded-freshness.js';
import { evaluateAll, isMatch, writeEvaluation } from './evaluation-answer.js';
import { readContext } from './evaluation-request.js';
import { OfrepEvents } from './ofrep-events.js';
import { OfrepRefused } from './ofrep-refused.js';
import { sendOfrepError } from './send-ofrep-error.js';

const BASE = '/flags/:project/:channel/ofrep/v1';
const BODY_LIMIT_BYTES = 65_536;
/** A client that was told to evaluate again and is refused may not ask a second time: rather wait for a replica that is late. */
const FRESHNESS_WAIT_MS = 5_000;
const RETRY_BEHIND_SECONDS = 2;

interface Named {
  readonly Params: { readonly project: string; readonly channel: string; readonly '*'?: string };
}

/**
 * OFREP 0.3.0 below each channel's address: `evaluate/flags/<key>`, `evaluate/flags`, and the event stream that tells clients to
 * evaluate again. Contexts are read, used and forgotten: nothing of them is logged or kept.
 */
@Injectable()
export class OfrepRoute implements OnModuleInit {
  private readonly limits: AddressLimits;
  private readonly refused: { inc(labels: { reason: string }): void };
  private readonly answered: { inc(labels: { door: string }): void };

  constructor(
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
    @Inject(ChannelDirectory) private readonly directory: ChannelDirectory,
    @Inject(OfrepEvents) private readonly events: OfrepEvents,
    @Inject(ClientSlots) private readonly slots: ClientSlots,
    @Inject(UsageCounter) private readonly usage: UsageCounter,
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(Log) private readonly log: Log,
    @Inject(Metrics) metrics: Metrics,
  ) {
    const perSecond = options.requestsPerSecond ?? DEFAULT_REQUESTS_PER_SECOND;
    this.limits = new AddressLimits({ now: options.now, perSecond });
    this.refused = metrics.counter({
      name: 'headgate_gateway_ofrep_refused_total',
      help: 'OFREP requests that were not answered: over the limit, or demanding what is not here yet',
      labelNames: ['reason'],
    });
    this.answered = metrics.counter({
      name: 'headgate_gateway_evaluations_total',
      help: 'Requests that were answered with evaluations, by door',
      labelNames: ['door'],
    });
  }

  onModuleInit(): void {
    const fastify = this.http.httpAdapter.getInstance() as FastifyInstance;
    void fastify.register(async (scope) => {
      allowOrigins(scope, this.options.corsOrigins ?? []);
      scope.addHook('onRequest', (request, _reply, done) => {
        const seconds = this.limits.take(request.ip);
        if (seconds === 0) return done();
        this.refused.inc({ reason: 'address-limit' });
        done(new OfrepRefused(429, null, 'This address sends too many requests.', seconds));
      });
      scope.setErrorHandler((error: Error, request, reply) =>
        sendOfrepError(this.log, error, request, reply),
      );
      // Names that could reach into an object's prototype are left out of a context, as at flagd's doors: no attribute is called so.
      scope.removeContentTypeParser('application/json');
      scope.addContentTypeParser(
        'application/json',
        { parseAs: 'string', bodyLimit: BODY_LIMIT_BYTES },
        scope.getDefaultJsonParser('remove', 'remove'),
      );
      const limited = { bodyLimit: BODY_LIMIT_BYTES };
      scope.post<Named>(`${BASE}/evaluate/flags`, limited, (request, reply) => this.bulk(request, reply));
      // Keys may hold slashes, and OFREP's own clients send them as they are.
      scope.post<Named>(`${BASE}/evaluate/flags/*`, limited, (request, reply) => this.single(request, reply));
      scope.get<Named>(`${BASE}/events`, { exposeHeadRoute: false }, (request, reply) =>
        this.stream(request, reply),
      );
      scope.options(`${BASE}/*`, (request, reply) => answerPreflight(request, reply));
    });
  }

  private async single(request: FastifyRequest<Named>, reply: FastifyReply): Promise<FastifyReply> {
    const { project, channel: name, '*': key = '' } = request.params;
    const channel = this.find(request.params);
    const context = readContext(request.body);
    const flag = channel.flags.find(key);
    if (flag === undefined) {
      if (flagKey.safeParse(key).success) this.usage.count(project, name, key, null, 'unknown');
      throw new OfrepRefused(404, 'FLAG_NOT_FOUND', `Channel ${project}/${name} has no such flag.`);
    }
    const evaluation = flag.evaluate(context);
    this.answered.inc({ door: 'ofrep' });
    this.usage.count(project, name, key, evaluation.variant ?? null);
    const json = writeEvaluation(flag, evaluation, `${project}/${name}`);
    return sendJson(reply.code(evaluation.reason === 'ERROR' ? 400 : 200), json);
  }

  private async bulk(request: FastifyRequest<Named>, reply: FastifyReply): Promise<FastifyReply> {
    const { project, channel: name } = request.params;
    const context = readContext(request.body);
    const channel = await this.findFresh(request.params, request.query);
    const { body, etag } = evaluateAll(channel.flags, context, {
      flagSetId: `${project}/${name}`,
      eventsUri: `/flags/${project}/${name}/ofrep/v1/events`,
      onEvaluated: ({ document }, { variant }) =>
        this.usage.count(project, name, document.key, variant ?? null, 'listed'),
    });
    this.answered.inc({ door: 'ofrep-bulk' });
    reply.header('etag', etag).header('cache-control', 'private, no-cache');
    return isMatch(request.headers['if-none-match'], etag) ? reply.code(304).send() : sendJson(reply, body);
  }

  private async stream(request: FastifyRequest<Named>, reply: FastifyReply): Promise<undefined> {
    const broadcast = this.events.of(this.find(request.params));
    const refusal = this.slots.refusal(request.ip);
    if (refusal !== null) {
      this.refused.inc({ reason: 'clients' });
      const seconds = this.slots.retryAfterSeconds();
      throw new OfrepRefused(429, null, refusal, seconds);
    }
    const socket = openSse(reply, corsHeaders(this.options.corsOrigins ?? [], request.headers.origin));
    socket.once('close', this.slots.take(request.ip));
    const id = request.headers['last-event-id'];
    await broadcast.join(socket, typeof id === 'string' ? id : undefined);
    return undefined;
  }

  /** The channel as new as the client knows that it is somewhere, of the source that it is told of or one of higher precedence. */
  private async findFresh(params: Named['Params'], query: unknown): Promise<ServedChannel> {
    const { etag, lastModifiedSecond } = readDemandedFreshness(query);
    const { now, freshnessWaitMs: waitMs = FRESHNESS_WAIT_MS } = this.options;
    const rank = etag === null ? -1 : this.rankOf(etag.root);
    const isHere = (): boolean => rank === -1 || this.rankOf(this.find(params).address.source.root) <= rank;
    const isFound = await becomes(isHere, now, waitMs);
    const channel = this.find(params);
    const version = etag?.root === channel.address.source.root ? etag.version : null;
    const demanded = { version, lastModifiedSecond };
    if (isFound && (await reachesFreshness(channel.flags, demanded, { now, waitMs }))) return channel;
    this.refused.inc({ reason: 'behind' });
    throw new OfrepRefused(
      503,
      null,
      'This gateway has not received the version that was asked for yet.',
      RETRY_BEHIND_SECONDS,
    );
  }

  /** Place of a source in the order of precedence; -1 for one that is not ours. */
  private rankOf(root: string): number {
    return this.options.sources.findIndex((source) => source.root === root);
  }

  private find({ project, channel }: Named['Params']): ServedChannel {
    const found = this.directory.find(project, channel);
    if (found) return found;
    if (this.directory.isComplete)
      throw new OfrepRefused(404, 'FLAG_NOT_FOUND', 'There is no such channel here.');
    throw new OfrepRefused(503, null, 'The channels of this gateway are not all known yet.', 1);
  }
}

const sendJson = (reply: FastifyReply, body: string | Buffer): FastifyReply =>
  reply.header('content-type', 'application/json; charset=utf-8').send(body);
