/** The status codes of gRPC that this gateway answers with (grpc.io, "Status codes and their use in gRPC"). */
export const GRPC_STATUS = {
  ok: 0,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
} as const;
export type GrpcCode = keyof typeof GRPC_STATUS;

/** An answer other than OK, for gRPC and Connect alike. */
export class FlagdRefused extends Error {
  override readonly name = 'FlagdRefused';

  constructor(
    readonly code: GrpcCode,
    message: string,
  ) {
    super(message);
  }
}
