import { Log, Metrics, Shutdown } from '@headgate/service-kit';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ServedChannel } from '../channels/served-channel.js';
import { GATEWAY_OPTIONS, type GatewayOptions } from '../gateway-options.js';
import { ClientSlots } from '../http/client-slots.js';
import { FlagdRefused } from './grpc/grpc-status.js';
import type { LiveStream } from './live-stream.js';

/** As often as flagd itself. */
const KEEP_ALIVE_MS = 20_000;
/** A full state over a slow line takes its time; who has taken nothing for so long is gone or hostile. */
const MAX_STALL_MS = 120_000;
/** How long after a start clients are kept waiting for what is newer than the copy on disk. */
const CATCH_UP_MS = 20_000;

/** Every stream of flagd's protocols, over gRPC or HTTP: kept alive, let go of when it stalls, ended when the gateway closes. */
@Injectable()
export class LiveStreams implements OnApplicationShutdown {
  private readonly streams = new Set<LiveStream>();
  private readonly timer: NodeJS.Timeout;
  private readonly startedAt: number;
  private isClosing = false;

  constructor(
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
    @Inject(ClientSlots) private readonly slots: ClientSlots,
    @Inject(Log) private readonly log: Log,
    @Inject(Metrics) metrics: Metrics,
    @Inject(Shutdown) shutdown: Shutdown,
  ) {
    this.startedAt = options.now();
    metrics.gauge({
      name: 'headgate_gateway_flagd_streams',
      help: 'Open streams of flagd.sync and flagd.evaluation',
      read: () => this.streams.size,
    });
    this.timer = setInterval(() => this.look(), options.flagdKeepAliveMs ?? KEEP_ALIVE_MS);
    shutdown.signal.addEventListener('abort', () => this.shutDown());
  }

  /** `open` is told how to listen for the end. Throws `FlagdRefused`, which clients retry, when there are too many. */
  add(ip: string, open: () => LiveStream, onClose: (listener: () => void) => void): void {
    this.refuseWhenFull(ip);
    const release = this.slots.take(ip);
    const stream = open();
    this.streams.add(stream);
    onClose(() => {
      if (this.streams.delete(stream)) release();
    });
  }

  /** For doors that have to know before they begin to answer. */
  refuseWhenFull(ip: string): void {
    if (this.isClosing) throw new FlagdRefused('unavailable', 'the gateway is shutting down');
    const refusal = this.slots.refusal(ip);
    if (refusal !== null) throw new FlagdRefused('unavailable', refusal);
  }

  /**
   * flagd's clients cannot say what they have seen: given the copy on disk by a gateway that has just come back, they would go back,
   * kills included. So they are told to ask again, and keep what they have, until the source was looked at or is away for long.
   */
  refuseBehind(channel: ServedChannel): void {
    if (channel.isCaughtUp) return;
    if (this.options.now() - this.startedAt >= (this.options.flagdCatchUpMs ?? CATCH_UP_MS)) return;
    throw new FlagdRefused('unavailable', 'the gateway has just started and is not up to date yet');
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const now = this.options.now();
    for (const stream of this.streams) {
      if (stream.stalledSince === null || now - stream.stalledSince < MAX_STALL_MS) stream.keepAlive();
      else {
        this.log.warn('a flagd client does not read; its stream is cut');
        stream.cut();
      }
    }
  }

  private shutDown(): void {
    this.isClosing = true;
    for (const stream of this.streams) stream.shutDown();
  }
}
