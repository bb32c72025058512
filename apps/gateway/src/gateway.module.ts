import { type DynamicModule, Module } from '@nestjs/common';
import { ChannelDirectory } from './channels/channel-directory.js';
import { GATEWAY_OPTIONS, type GatewayOptions } from './gateway-options.js';
import { FlagsRoute } from './http/flags-route.js';

/** Verified channels for SDKs and pollers. Needs upstream, nats-server and its own disk only to have news. */
@Module({})
export class GatewayModule {
  static register(options: GatewayOptions): DynamicModule {
    return {
      module: GatewayModule,
      providers: [{ provide: GATEWAY_OPTIONS, useValue: options }, ChannelDirectory, FlagsRoute],
    };
  }
}
