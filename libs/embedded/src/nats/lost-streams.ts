import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemRequest } from './system-request.js';

/**
 * Streams that lie on disk but are not served. nats-server passes over a stream whose description is damaged with a line in
 * its log; whoever then declares the stream would make an empty one in its place, and acknowledged events were gone.
 */
export async function lostStreams(
  storeDir: string,
  server: { readonly host: string; readonly port: number; readonly user: string; readonly password: string },
): Promise<readonly string[]> {
  const stored = storedStreams(join(storeDir, 'jetstream'));
  if (stored.length === 0) return [];
  const answer = (await systemRequest({
    ...server,
    subject: '$SYS.REQ.SERVER.PING.JSZ',
    body: { accounts: true, streams: true },
    timeoutMs: 30_000,
  })) as JetStreamAnswer;
  const served = (answer.data?.account_details ?? []).flatMap(({ name, stream_detail }) =>
    (stream_detail ?? []).map((stream) => `${name}/${stream.name}`),
  );
  return stored.filter((stream) => !served.includes(stream));
}

interface JetStreamAnswer {
  readonly data?: {
    readonly account_details?: readonly {
      readonly name: string;
      readonly stream_detail?: readonly { readonly name: string }[];
    }[];
  };
}

function storedStreams(folder: string): string[] {
  return foldersIn(folder).flatMap((account) =>
    foldersIn(join(folder, account, 'streams')).map((stream) => `${account}/${stream}`),
  );
}

function foldersIn(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
}
