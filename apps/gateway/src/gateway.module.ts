import { type DynamicModule, Module } from '@nestjs/common';
import { ChannelDirectory } from './channels/channel-directory.js';
import { UsageCounter } from './flag-set/usage.js';
import { UsageReporter } from './flag-set/usage-reporter.js';
import { ConnectRoute } from './flagd/connect/connect.route.js';
import { FlagMoments } from './flagd/evaluation/flag-moments.js';
import { FlagdPort } from './flagd/flagd-port.js';
import { GrpcMethods } from './flagd/grpc-methods.js';
import { LiveStreams } from './flagd/live-streams.js';
import { SyncStates } from './flagd/sync/sync-states.js';
import { GATEWAY_OPTIONS, type GatewayOptions } from './gateway-options.js';
import { ClientSlots } from './http/client-slots.js';
import { FlagsRoute } from './http/flags-route.js';
import { OfrepRoute } from './ofrep/ofrep.route.js';
import { OfrepEvents } from './ofrep/ofrep-events.js';

/** Verified channels for SDKs and pollers, and evaluated for clients of OFREP. Needs upstream, nats-server and its own disk only to have news. */
@Module({})
export class GatewayModule {
  static register(options: GatewayOptions): DynamicModule {
    return {
      module: GatewayModule,
      providers: [
        { provide: GATEWAY_OPTIONS, useValue: options },
        { provide: UsageCounter, useValue: new UsageCounter(options.now) },
        ChannelDirectory,
        ClientSlots,
        FlagsRoute,
        OfrepEvents,
        OfrepRoute,
        UsageReporter,
        LiveStreams,
        FlagMoments,
        SyncStates,
        GrpcMethods,
        FlagdPort,
        ConnectRoute,
      ],
    };
  }
}
