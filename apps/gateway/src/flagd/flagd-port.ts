import { Log, Metrics, Shutdown } from '@headgate/service-kit';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DEFAULT_MAX_CLIENTS, GATEWAY_OPTIONS, type GatewayOptions } from '../gateway-options.js';
import { AddressShares, clientsPerAddress } from '../http/address-shares.js';
import { GrpcServer } from './grpc/grpc-server.js';
import { GrpcMethods } from './grpc-methods.js';

const PING_EVERY_MS = 30_000;

/** flagd.sync and flagd.evaluation over gRPC on a port of their own, when the options ask for one. */
@Injectable()
export class FlagdPort implements OnModuleInit, OnApplicationShutdown {
  private readonly server: GrpcServer | null;
  private closed: Promise<void> | null = null;

  constructor(
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
    @Inject(GrpcMethods) methods: GrpcMethods,
    @Inject(Log) private readonly log: Log,
    @Inject(Metrics) metrics: Metrics,
    @Inject(Shutdown) shutdown: Shutdown,
  ) {
    const { grpc, maxClients = DEFAULT_MAX_CLIENTS, maxClientsPerAddress } = options;
    this.server = grpc
      ? new GrpcServer({
          host: grpc.host,
          port: grpc.port,
          tls: grpc.tls,
          methods: methods.all(),
          log,
          maxConnections: maxClients,
          shares: new AddressShares(clientsPerAddress(maxClients, maxClientsPerAddress)),
          pingEveryMs: grpc.pingEveryMs ?? PING_EVERY_MS,
          ...(grpc.maxUnfinishedBytes === undefined ? {} : { maxUnfinishedBytes: grpc.maxUnfinishedBytes }),
        })
      : null;
    const { server } = this;
    if (server === null) return;
    metrics.gauge({
      name: 'headgate_gateway_grpc_connections',
      help: 'Open connections of the gRPC port',
      read: () => server.connections,
    });
    shutdown.signal.addEventListener('abort', () => {
      this.closed = server.close();
    });
  }

  async onModuleInit(): Promise<void> {
    const { grpc } = this.options;
    if (!grpc || this.server === null) return;
    const port = await this.server.listen();
    this.log.info('flagd clients are served', { host: grpc.host, port, tls: grpc.tls !== null });
    grpc.onListening?.(port);
  }

  async onApplicationShutdown(): Promise<void> {
    await (this.closed ?? this.server?.close());
  }
}
