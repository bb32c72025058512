import { Metrics, RequestRefused } from '@headgate/service-kit';
import { Inject, Injectable } from '@nestjs/common';
import { GATEWAY_OPTIONS, type GatewayOptions } from '../gateway-options.js';

const DEFAULT_MAX_CLIENTS = 15_000;
const MAX_RETRY_AFTER_SECONDS = 10;

/** Open event streams of all doors together: sockets are what a gateway runs out of first. */
@Injectable()
export class ClientSlots {
  private taken = 0;
  private readonly max: number;

  constructor(
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.max = options.maxClients ?? DEFAULT_MAX_CLIENTS;
    metrics.gauge({ name: 'headgate_gateway_clients', help: 'Open event streams', read: () => this.taken });
  }

  get isFull(): boolean {
    return this.taken >= this.max;
  }

  /** Returns what gives the slot back; to be called once. */
  take(): () => void {
    this.taken += 1;
    return () => {
      this.taken -= 1;
    };
  }

  /** Spread out, or those turned away would all come back at once. */
  retryAfterSeconds(): number {
    return 1 + Math.floor(this.options.random() * MAX_RETRY_AFTER_SECONDS);
  }

  refusal(): RequestRefused {
    return new RequestRefused('too-many-requests', `${this.taken} clients are connected already.`);
  }
}
