import { InvalidInput } from '@headgate/service-kit';
import { FlagdRefused, type GrpcCode } from '../grpc/grpc-status.js';

interface ConnectStatus {
  readonly code: string;
  readonly http: number;
}

/** Names and HTTP statuses of the same codes in the Connect protocol. */
const STATUS: Readonly<Record<Exclude<GrpcCode, 'ok'>, ConnectStatus>> = {
  unknown: { code: 'unknown', http: 500 },
  invalidArgument: { code: 'invalid_argument', http: 400 },
  deadlineExceeded: { code: 'deadline_exceeded', http: 504 },
  notFound: { code: 'not_found', http: 404 },
  resourceExhausted: { code: 'resource_exhausted', http: 429 },
  unimplemented: { code: 'unimplemented', http: 501 },
  internal: { code: 'internal', http: 500 },
  unavailable: { code: 'unavailable', http: 503 },
  dataLoss: { code: 'data_loss', http: 500 },
};

export interface ConnectError {
  readonly http: number;
  readonly body: { readonly code: string; readonly message: string };
}

export const connectError = ({ code, message }: FlagdRefused): ConnectError => {
  const { code: name, http } = STATUS[code === 'ok' ? 'internal' : code];
  return { http, body: { code: name, message } };
};

/** What Fastify refuses before our code sees it; its own words may quote the body. Null: a fault of ours. */
export const asRefused = (thrown: Error & { readonly statusCode?: number }): FlagdRefused | null => {
  if (thrown instanceof FlagdRefused) return thrown;
  if (thrown instanceof InvalidInput) return new FlagdRefused('invalidArgument', thrown.message);
  const { statusCode = 500 } = thrown;
  if (statusCode < 400 || statusCode >= 500) return null;
  if (statusCode === 413) return new FlagdRefused('resourceExhausted', 'the request is too large');
  return new FlagdRefused('invalidArgument', 'the request cannot be read; send Connect in JSON');
};
