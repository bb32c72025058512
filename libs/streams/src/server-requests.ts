import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Unavailable } from './errors.js';

export interface ServerRequestsOptions {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly inboxPrefix?: string;
  readonly name: string;
}

/** Questions to nats-server itself: its monitoring (`$SYS.REQ.…`) and JetStream's API, in JSON. For administration, not for data. */
export interface ServerRequests {
  /** Throws `Unavailable` when nobody answers; what the answer means is for the caller. */
  ask(subject: string, body?: unknown, timeoutMs?: number): Promise<unknown>;
  close(): Promise<void>;
}

export const openServerRequests = async (options: ServerRequestsOptions): Promise<ServerRequests> => {
  const connection = await open(options);
  return {
    ask: async (subject, body, timeoutMs = 5_000) => {
      try {
        const payload = body === undefined ? '' : JSON.stringify(body);
        return (await connection.request(subject, payload, { timeout: timeoutMs })).json();
      } catch (cause) {
        throw new Unavailable(`nats-server gave no answer on ${subject}: ${(cause as Error).message}`, {
          cause,
        });
      }
    },
    close: () => connection.close(),
  };
};

const open = async (options: ServerRequestsOptions): Promise<NatsConnection> => {
  try {
    return await connect({
      servers: options.url,
      user: options.user,
      pass: options.password,
      name: options.name,
      inboxPrefix: options.inboxPrefix ?? `_INBOX.${options.user}`,
      timeout: 5_000,
    });
  } catch (cause) {
    throw new Unavailable(`cannot connect to nats-server at ${options.url}: ${(cause as Error).message}`, {
      cause,
    });
  }
};
