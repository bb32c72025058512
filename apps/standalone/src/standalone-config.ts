import { subjectToken } from '@headgate/contracts';
import {
  gatewayCorsOrigins,
  gatewayMaxClientsPerAddress,
  gatewayRequestsPerSecond,
  grpcConfig,
} from '@headgate/gateway';
import { z } from 'zod';
import { upstreamBundle } from './mirror/upstream-bundle.js';

/** Everything of `npm start`; every field is also an environment variable and a field of `.headgate/config.json`. */
export const standaloneConfig = z.strictObject({
  /** Where all data of this installation lies; made 0700. */
  dataDir: z.string().min(1).default('.headgate'),
  /**
   * What others call this installation: a vendor's mirror of it is the stream `UP_<name>`. Absent: what its first upstream calls it,
   * else `headgate`.
   */
  name: subjectToken.optional(),
  httpHost: z.string().min(1).default('127.0.0.1'),
  /** 0: the port of the last start if it is free, else any. */
  httpPort: z.int().min(0).max(65_535).default(0),
  /** PEM files of the certificate chain and its private key: HTTPS in place of HTTP; renewed files are taken up while it runs. */
  tlsCertPath: z.string().min(1).optional(),
  tlsKeyPath: z.string().min(1).optional(),
  leafHost: z.string().min(1).default('127.0.0.1'),
  /** 0: a free one, kept between starts. */
  leafPort: z.int().min(0).max(65_535).default(0),
  /** Address of the same as vendors see it, such as `tls://hub.example.org:7422`. */
  leafUrl: z
    .string()
    .regex(/^(nats-leaf|nats|tls|ws|wss):\/\//, 'must be an address of a leaf listener')
    .optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** A file that is written, 0600, when everything serves; for programs that start us. */
  readyFile: z.string().min(1).optional(),
  /** Upstreams to mirror, as `headgate vendor add` printed them; they are remembered once joined. */
  upstreams: z.array(upstreamBundle).default([]).meta({ secret: true }),
  /** Encrypts the private keys made from now on, and opens them. */
  keysPassphrase: z.string().min(8).optional().meta({ secret: true }),
  /** At most this long between signs of life of a channel. */
  beatEveryMs: z.int().min(100).default(5_000),
  gatewayMaxClients: z.int().min(1).max(1_000_000).default(15_000),
  gatewayMaxClientsPerAddress,
  gatewayRequestsPerSecond,
  gatewayCorsOrigins,
  /** Of flagd's gRPC services; 0: the port of the last start if it is free, else any. */
  grpcPort: z.int().min(0).max(65_535).default(0),
  ...grpcConfig,
});
export type StandaloneConfig = z.infer<typeof standaloneConfig>;
