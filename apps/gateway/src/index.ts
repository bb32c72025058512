export { ChannelRefusals } from './channels/channel-refusals.js';
export { GatewayModule } from './gateway.module.js';
export { type ChannelSource, channelSource, type GatewayConfig, gatewayConfig } from './gateway-config.js';
export type { GatewayOptions } from './gateway-options.js';
