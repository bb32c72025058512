export { ChannelRefusals } from './channels/channel-refusals.js';
export { type ChannelSource, channelSource } from './channels/channel-source.js';
export { checkFlagdFlag } from './flag-set/flagd-schema.js';
export { grpcConfig, grpcOptionsOf } from './flagd/grpc-config.js';
export { GatewayModule } from './gateway.module.js';
export {
  type GatewayConfig,
  gatewayConfig,
  gatewayCorsOrigins,
  gatewayMaxClientsPerAddress,
  gatewayRequestsPerSecond,
} from './gateway-config.js';
export type { GatewayOptions } from './gateway-options.js';
