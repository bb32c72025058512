import type { Commit } from '@headgate/contracts';
import { connectStreams, declareInstallation, type Streams } from '@headgate/streams';
import { startSpecServer } from '../../support/nats-server.js';
import { SignedChannel } from '../../support/signed-channel.js';
import { later } from './parts.js';

export interface BenchChannel {
  readonly signed: SignedChannel;
  /** For a gateway of this channel; `dataDir` its own. */
  env(dataDir: string, more?: Readonly<Record<string, string>>): Record<string, string>;
  /** A change of one flag, signed and not yet published; `bytes` makes it larger. */
  next(bytes?: number): { readonly id: string; readonly commit: Commit; readonly frame: Buffer };
  publish(commit: Commit): Promise<void>;
}

const FLAGS = 20;

export const openBenchChannel = async (): Promise<BenchChannel> => {
  const server = later(await startSpecServer(), (running) => running.remove());
  const streams: Streams = later(await connectStreams({ url: server.url, name: 'bench' }), (open) =>
    open.close(),
  );
  await declareInstallation(streams, { now: Date.now() });
  const signed = new SignedChannel({ project: 'bench' });
  for (let i = 1; i <= FLAGS; i += 1) signed.commit(signed.document(i));
  await signed.publishAll(streams);
  return {
    signed,
    env: (dataDir, more = {}) => ({
      HEADGATE_NATS_URL: server.url,
      HEADGATE_DATA_DIR: dataDir,
      HEADGATE_GATEWAY_SOURCES: JSON.stringify([{ root: 'own', stream: 'FLAGS', pin: signed.pin }]),
      HEADGATE_GATEWAY_MAX_CLIENTS: '100000',
      ...more,
    }),
    next: (bytes = 0) => {
      const { n } = signed.head.h;
      const document = signed.document(1, { why: `change ${n}`, owner: '-'.repeat(bytes + 1) });
      const commit = signed.commit(document);
      const id = `${commit.head.h.epoch}.${commit.head.h.n}`;
      return {
        id,
        commit,
        frame: Buffer.from(`id: ${id}\nevent: commit\ndata: ${JSON.stringify(commit)}\n\n`),
      };
    },
    publish: (commit) => signed.publishCommit(streams, commit),
  };
};
