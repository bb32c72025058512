import { type JsonValue, jsonValue } from '@headgate/contracts';
import { ConfigError, type TlsFiles, tlsFilesOf } from '@headgate/service-kit';
import { z } from 'zod';
import type { GrpcOptions } from '../gateway-options.js';

/** Settings of the flagd doors that a gateway has, alone or as a part of `npm start`. */
export const grpcConfig = {
  grpcHost: z.string().min(1).default('127.0.0.1'),
  /** PEM files; absent: those of HTTP, if it has any. */
  grpcTlsCertPath: z.string().min(1).optional(),
  grpcTlsKeyPath: z.string().min(1).optional(),
  /** Listening beyond this machine without TLS has to be meant: behind a proxy that has it, or inside a cluster. */
  grpcAllowPlaintext: z.boolean().default(false),
  /** Attributes that in-process providers merge into every evaluation. */
  grpcSyncContext: z.record(z.string().min(1).max(100), jsonValue).optional(),
};

export interface GrpcSettings {
  readonly grpcHost: string;
  readonly grpcPort: number;
  readonly grpcTlsCertPath?: string | undefined;
  readonly grpcTlsKeyPath?: string | undefined;
  readonly tlsCertPath?: string | undefined;
  readonly tlsKeyPath?: string | undefined;
  readonly grpcAllowPlaintext: boolean;
  readonly grpcSyncContext?: Record<string, JsonValue> | undefined;
}

/** Throws `ConfigError` for half of a certificate, and for an open address without one. */
export const grpcOptionsOf = (settings: GrpcSettings): Omit<GrpcOptions, 'onListening'> => {
  const { grpcHost: host, grpcPort: port, grpcAllowPlaintext } = settings;
  const tls = grpcTlsOf(settings);
  if (tls === null && !grpcAllowPlaintext && !isLoopback(host))
    throw new ConfigError([
      `HEADGATE_GRPC_HOST: ${host} is open to others, and gRPC has no certificate. Set HEADGATE_GRPC_TLS_CERT_PATH and HEADGATE_GRPC_TLS_KEY_PATH, or HEADGATE_GRPC_ALLOW_PLAINTEXT=true where something else encrypts.`,
    ]);
  return { host, port, tls };
};

const grpcTlsOf = (settings: GrpcSettings): TlsFiles | null => {
  const { grpcTlsCertPath: certFile, grpcTlsKeyPath: keyFile } = settings;
  if (certFile === undefined && keyFile === undefined)
    return tlsFilesOf(settings.tlsCertPath, settings.tlsKeyPath);
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  const missing = certFile === undefined ? 'CERT' : 'KEY';
  throw new ConfigError([`HEADGATE_GRPC_TLS_${missing}_PATH: missing; TLS needs both files.`]);
};

const isLoopback = (host: string): boolean => /^(localhost|::1|127(\.\d{1,3}){3})$/.test(host);
