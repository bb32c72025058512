import { Inject, Injectable } from '@nestjs/common';
import { ChannelDirectory } from '../channels/channel-directory.js';
import type { ServedChannel } from '../channels/served-channel.js';
import { UsageCounter } from '../flag-set/usage.js';
import { DEFAULT_REQUESTS_PER_SECOND, GATEWAY_OPTIONS, type GatewayOptions } from '../gateway-options.js';
import { AddressLimits } from '../http/address-limits.js';
import { selectChannel } from './channel-selector.js';
import { EVENT_STREAMS, type EvaluationMethod, evaluationMethods } from './evaluation/evaluation-methods.js';
import { EventFeed } from './evaluation/event-feed.js';
import { FlagMoments } from './evaluation/flag-moments.js';
import { grpcEventSink } from './evaluation/grpc-events.js';
import type { GrpcCall } from './grpc/grpc-call.js';
import { frameOf } from './grpc/grpc-frames.js';
import type { GrpcMethod } from './grpc/grpc-server.js';
import { FlagdRefused } from './grpc/grpc-status.js';
import { timeoutOf } from './grpc/grpc-timeout.js';
import type { LiveStream } from './live-stream.js';
import { LiveStreams } from './live-streams.js';
import { SYNC } from './proto/flagd-messages.js';
import { decodeRequest, encodeAnswer } from './proto/proto-json.js';
import { SyncStates } from './sync/sync-states.js';
import { SyncStream } from './sync/sync-stream.js';

const SYNC_SERVICE = 'flagd.sync.v1.FlagSyncService';
const SELECTOR = 'flagd-selector';
/** Longer than an answer is on its way. */
const TOLD_AGAIN_MS = 1_000;

/** What the gRPC port answers, by path. */
@Injectable()
export class GrpcMethods {
  private readonly limits: AddressLimits;

  constructor(
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
    @Inject(ChannelDirectory) private readonly directory: ChannelDirectory,
    @Inject(UsageCounter) private readonly usage: UsageCounter,
    @Inject(LiveStreams) private readonly streams: LiveStreams,
    @Inject(FlagMoments) private readonly moments: FlagMoments,
    @Inject(SyncStates) private readonly states: SyncStates,
  ) {
    const perSecond = options.requestsPerSecond ?? DEFAULT_REQUESTS_PER_SECOND;
    this.limits = new AddressLimits({ now: options.now, perSecond });
  }

  all(): ReadonlyMap<string, GrpcMethod> {
    return new Map<string, GrpcMethod>([
      [`/${SYNC_SERVICE}/SyncFlags`, (call, message) => this.syncFlags(call, message)],
      [`/${SYNC_SERVICE}/FetchAllFlags`, (call, message) => this.fetchAllFlags(call, message)],
      [`/${SYNC_SERVICE}/GetMetadata`, refuseMetadata],
      ...EVENT_STREAMS.map((path): [string, GrpcMethod] => [`/${path}`, (call) => this.eventStream(call)]),
      ...[...evaluationMethods(this.usage)].map(([path, method]): [string, GrpcMethod] => [
        `/${path}`,
        (call, message) => this.evaluate(call, message, method),
      ]),
    ]);
  }

  /** Before anything is decoded. Clients that follow a stream are told what they retry by themselves. */
  private charge(call: GrpcCall, code: 'resourceExhausted' | 'unavailable' = 'resourceExhausted'): void {
    if (this.limits.take(call.address) > 0)
      throw new FlagdRefused(code, 'this address sends too many requests');
  }

  private syncFlags(call: GrpcCall, message: Buffer): void {
    this.charge(call, 'unavailable');
    const channel = this.select(call, decodeRequest(SYNC.SyncFlagsRequest, message).selector);
    const states = this.states.of(channel);
    this.streams.refuseBehind(channel);
    // Before the stream is one: what cannot be sent is an answer to this call.
    states.syncFrame();
    this.open(call, () => new SyncStream(call, channel, states, this.options.now));
  }

  private fetchAllFlags(call: GrpcCall, message: Buffer): void {
    this.charge(call);
    const channel = this.select(call, decodeRequest(SYNC.FetchAllFlagsRequest, message).selector);
    this.streams.refuseBehind(channel);
    call.send(this.states.of(channel).fetchFrame());
    call.end('ok');
  }

  private eventStream(call: GrpcCall): void {
    this.charge(call, 'unavailable');
    const channel = this.select(call);
    this.streams.refuseBehind(channel);
    this.open(
      call,
      () => new EventFeed(grpcEventSink(call), channel, this.moments, this.options.now, TOLD_AGAIN_MS),
    );
  }

  private evaluate(call: GrpcCall, message: Buffer, { request, response, answer }: EvaluationMethod): void {
    this.charge(call);
    const asked = decodeRequest(request, message);
    call.send(frameOf([encodeAnswer(response, answer(this.select(call), asked))]));
    call.end('ok');
  }

  private open(call: GrpcCall, stream: () => LiveStream): void {
    this.streams.add(call.address, stream, (listener) => call.onClose(listener));
    const timeoutMs = timeoutOf(call.metadata('grpc-timeout'));
    if (timeoutMs === null) return;
    const timer = setTimeout(
      () => call.end('deadlineExceeded', 'the deadline of the stream is over'),
      timeoutMs,
    );
    call.onClose(() => clearTimeout(timer));
  }

  private select(call: GrpcCall, field?: unknown): ServedChannel {
    const fallback = typeof field === 'string' ? field : undefined;
    return selectChannel(this.directory, call.metadata(SELECTOR) || fallback);
  }
}

/** Deprecated in flagd; clients that still ask take this answer, and no other error, for "go on without". */
const refuseMetadata: GrpcMethod = () => {
  throw new FlagdRefused('unimplemented', 'GetMetadata is not served; SyncFlags carries sync_context');
};
