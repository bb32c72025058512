import {
  type EmbeddedNats,
  mirrorConsumerConfig,
  mirrorConsumerName,
  mirrorStreamConfig,
} from '@headgate/embedded';
import { openServerRequests, type ServerRequests } from '@headgate/streams';
import type { UpstreamBundle } from './upstream-bundle.js';

interface ApiAnswer {
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

const ALREADY_THERE = [10_058, 10_105, 10_148];

/** Enrols a vendor at our own server: its password and rights, and the durable consumer that feeds its mirror. Safe to repeat. */
export const admitVendor = async (
  nats: EmbeddedNats,
  name: string,
  { pin, leafUrl }: { readonly pin: string; readonly leafUrl: string | undefined },
): Promise<UpstreamBundle> => {
  const { url, rootName, vendor, password } = await nats.enrolVendor(name);
  const link = { root: rootName, vendor };
  const config = mirrorConsumerConfig(link);
  const subject = `$JS.API.CONSUMER.DURABLE.CREATE.${config.stream}.${mirrorConsumerName(link)}`;
  await asAdmin(nats, (requests) =>
    api(requests, subject, { stream_name: config.stream, config: config.config }),
  );
  return {
    schema: 'headgate.vendor-bundle.v1',
    name: rootName,
    leafUrl: leafUrl ?? url,
    vendor,
    password,
    pin,
  };
};

/** Connects our server to an upstream's as a leaf and creates the mirror `UP_<name>`. Safe to repeat; restarts our server when new. */
export const joinUpstream = async (
  nats: EmbeddedNats,
  bundle: UpstreamBundle,
  isNew: boolean,
): Promise<void> => {
  const { leafUrl: url, name: rootName, vendor, password } = bundle;
  if (isNew) await nats.joinUpstream({ url, rootName, vendor, password });
  const config = mirrorStreamConfig({ root: rootName, vendor });
  await asAdmin(nats, (requests) => api(requests, `$JS.API.STREAM.CREATE.${config.name}`, config));
};

const asAdmin = async (
  nats: EmbeddedNats,
  work: (requests: ServerRequests) => Promise<void>,
): Promise<void> => {
  const { servers: url, user, pass: password, inboxPrefix } = nats.credentials('admin');
  const requests = await openServerRequests({ url, user, password, inboxPrefix, name: 'headgate-wiring' });
  try {
    await work(requests);
  } finally {
    await requests.close();
  }
};

const api = async (requests: ServerRequests, subject: string, body: unknown): Promise<void> => {
  const { error } = (await requests.ask(subject, body)) as ApiAnswer;
  if (!error || ALREADY_THERE.includes(error.err_code ?? 0)) return;
  throw new Error(`nats-server refused ${subject}: ${error.description ?? `code ${error.code}`}`);
};
