import { z } from 'zod';
import { channelSource } from './channels/channel-source.js';
import { grpcConfig } from './flagd/grpc-config.js';

/** Requests a second from one address to the doors that evaluate. */
export const gatewayRequestsPerSecond = z.number().int().min(0).max(1_000_000).default(2_000);

/** Of `gatewayMaxClients`; absent: half of them, and no limit for addresses of this machine; 0: no limit. */
export const gatewayMaxClientsPerAddress = z.number().int().min(0).max(1_000_000).optional();

/** Origins whose pages may evaluate here, such as `["https://shop.example.org"]`; `["*"]` for all. */
export const gatewayCorsOrigins = z
  .array(z.union([z.literal('*'), z.string().regex(/^https?:\/\/[^/\s,]+$/, 'must be an origin, or "*"')]))
  .default([]);

/** Settings of a gateway that runs on its own. */
export const gatewayConfig = z.object({
  natsUrl: z.string().min(1).default('nats://127.0.0.1:4222'),
  natsUser: z.string().min(1).optional(),
  natsPassword: z.string().min(1).optional().meta({ secret: true }),
  httpHost: z.string().min(1).default('127.0.0.1'),
  httpPort: z.number().int().min(0).max(65_535).default(0),
  /** PEM files of the certificate chain and its private key: HTTPS in place of HTTP; renewed files are taken up while it runs. */
  tlsCertPath: z.string().min(1).optional(),
  tlsKeyPath: z.string().min(1).optional(),
  dataDir: z.string().min(1).default('.headgate'),
  /** In order of precedence; in the environment as JSON. */
  gatewaySources: z.array(channelSource).min(1),
  gatewayMaxClients: z.number().int().min(1).max(1_000_000).default(15_000),
  gatewayMaxClientsPerAddress,
  /** 0 for no limit, as behind a proxy that gives all clients one address. */
  gatewayRequestsPerSecond,
  gatewayCorsOrigins,
  /** Of the collector that is told of flags evaluated here; nobody is when either is absent. */
  telemetryUrl: z.url({ protocol: /^https?$/ }).optional(),
  telemetryToken: z.string().min(16).optional().meta({ secret: true }),
  /** Of flagd's gRPC services; absent: not served; 0: a free one. */
  grpcPort: z.number().int().min(0).max(65_535).optional(),
  ...grpcConfig,
});
export type GatewayConfig = z.infer<typeof gatewayConfig>;
