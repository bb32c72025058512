import { Metrics } from '@headgate/service-kit';
import { Inject, Injectable } from '@nestjs/common';
import { DEFAULT_MAX_CLIENTS, GATEWAY_OPTIONS, type GatewayOptions } from '../gateway-options.js';
import { AddressShares, clientsPerAddress } from './address-shares.js';

const MAX_RETRY_AFTER_SECONDS = 10;

/** Open event streams of all doors together, and of each address: sockets are what a gateway runs out of first. */
@Injectable()
export class ClientSlots {
  private taken = 0;
  private readonly max: number;
  private readonly shares: AddressShares;

  constructor(
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.max = options.maxClients ?? DEFAULT_MAX_CLIENTS;
    this.shares = new AddressShares(clientsPerAddress(this.max, options.maxClientsPerAddress));
    metrics.gauge({ name: 'headgate_gateway_clients', help: 'Open event streams', read: () => this.taken });
  }

  /** Why there is no slot for a client of this address; null when there is one. */
  refusal(ip: string): string | null {
    if (this.taken >= this.max) return 'Too many clients are connected already; come again later.';
    return this.shares.isFull(ip) ? 'This address has too many streams open already.' : null;
  }

  /** Returns what gives the slot back; to be called once. */
  take(ip: string): () => void {
    const release = this.shares.take(ip);
    this.taken += 1;
    return () => {
      this.taken -= 1;
      release();
    };
  }

  /** Spread out, or those turned away would all come back at once. */
  retryAfterSeconds(): number {
    return 1 + Math.floor(this.options.random() * MAX_RETRY_AFTER_SECONDS);
  }
}
