export { ChannelRefusals } from './channels/channel-refusals.js';
export { checkFlagdFlag } from './flag-set/flagd-schema.js';
export { grpcConfig, grpcOptionsOf } from './flagd/grpc-config.js';
export { GatewayModule } from './gateway.module.js';
export {
  type ChannelSource,
  channelSource,
  type GatewayConfig,
  gatewayConfig,
  gatewayCorsOrigins,
  gatewayRequestsPerSecond,
} from './gateway-config.js';
export type { GatewayOptions } from './gateway-options.js';
