import { statSync } from 'node:fs';
import { STREAMS, upstreamStream } from '@headgate/contracts';
import type { OperationReport } from '@headgate/control';
import { isAtLeast, NATS_FLOOR, SYSTEM_USER } from '@headgate/embedded';
import type { ChannelRefusals } from '@headgate/gateway';
import type { Projection } from '@headgate/projector';
import {
  type InspectedStream,
  inspectInstallation,
  openServerRequests,
  type ServerRequests,
  type Streams,
} from '@headgate/streams';
import { type Connections, connectAs } from '../installation/open-connections.js';
import type { Servers } from '../installation/start-servers.js';
import { channelChecks } from './channel-checks.js';
import { projectionCheck } from './projection-check.js';

export interface Examined {
  readonly servers: Servers;
  readonly connections: Connections;
  readonly projection: Projection;
  readonly refusals: ChannelRefusals;
  readonly now: () => number;
}

/** `ok: null`: cannot be seen from here, which is not the same as well. */
interface Check {
  readonly name: string;
  readonly ok: boolean | null;
  readonly detail: string;
}

/** Reads back what is in force, from the servers themselves and not from what they were told. */
export const examine = async (parts: Examined): Promise<OperationReport> => {
  const checks = [
    ...(await natsChecks(parts.servers)),
    ...(await streamChecks(parts)),
    ...(await clockChecks(parts)),
    ...folderChecks(parts.servers),
    ...(await publishedChecks(parts)),
    ...(await projectionChecks(parts)),
    ...sourceChecks(parts),
  ];
  return { ok: checks.every(({ ok }) => ok !== false), checks };
};

const natsChecks = async ({ nats }: Servers): Promise<readonly Check[]> => {
  const { servers: url, user, pass: password, inboxPrefix } = nats.credentials(SYSTEM_USER);
  let requests: ServerRequests;
  try {
    requests = await openServerRequests({ url, user, password, inboxPrefix, name: 'headgate-doctor' });
  } catch (cause) {
    return [{ name: 'nats-server', ok: false, detail: (cause as Error).message }];
  }
  try {
    const varz = dataOf(await requests.ask('$SYS.REQ.SERVER.PING.VARZ'));
    const config = recordOf(recordOf(varz.jetstream).config);
    const isSynced = config.sync_always === true;
    const accounts = dataOf(await requests.ask('$SYS.REQ.SERVER.PING.ACCOUNTZ')).accounts;
    return [
      known(
        'nats-server version',
        varz.version,
        (version) => isAtLeast(version, NATS_FLOOR),
        `at least ${NATS_FLOOR}`,
      ),
      {
        name: 'sync before acknowledgement',
        ok: config.sync_always === undefined ? null : isSynced,
        detail: isSynced
          ? 'every message (sync_interval: always)'
          : `sync_interval ${String(config.sync_interval ?? 'unknown')}`,
      },
      {
        name: 'accounts',
        ok: Array.isArray(accounts) ? accounts.includes('HG') && accounts.includes('LINK') : null,
        detail: Array.isArray(accounts) ? accounts.join(', ') : 'unknown',
      },
      known('authentication', varz.auth_required, (required) => required === 'true', 'required'),
      known(
        'largest message',
        varz.max_payload,
        (bytes) => Number(bytes) >= 262_144,
        'at least 262144 bytes',
      ),
    ];
  } catch (cause) {
    return [{ name: 'nats-server', ok: null, detail: `unknown: ${(cause as Error).message}` }];
  } finally {
    await requests.close();
  }
};

/** As the administrator's role, the only one that may look at every stream. */
const streamChecks = async ({ servers, now }: Examined): Promise<readonly Check[]> => {
  let streams: Streams;
  try {
    streams = await connectAs('admin', servers.nats);
  } catch (cause) {
    return [{ name: 'streams', ok: null, detail: `unknown: ${(cause as Error).message}` }];
  }
  try {
    const own = await inspectInstallation(streams, { now: now() });
    const mirrors = await Promise.all(servers.upstreams.map(({ name }) => mirrorCheck(streams, name)));
    return [...own.map(streamCheck), ...mirrors];
  } finally {
    await streams.close();
  }
};

const mirrorCheck = async (streams: Streams, upstream: string): Promise<Check> => {
  const name = `mirror of ${upstream}`;
  try {
    const found = await streams.info(upstreamStream(upstream));
    return found
      ? { name, ok: true, detail: `${found.messages} messages, ${found.bytes} bytes` }
      : { name, ok: false, detail: 'missing: start once with --upstream' };
  } catch (cause) {
    return { name, ok: null, detail: `unknown: ${(cause as Error).message}` };
  }
};

const streamCheck = (found: InspectedStream): Check => {
  const name = `stream ${found.name}`;
  switch (found.state) {
    case 'unknown':
      return { name, ok: null, detail: `unknown: ${found.why}` };
    case 'missing':
      return { name, ok: false, detail: 'missing' };
    case 'not-as-declared':
      return { name, ok: false, detail: found.differences.join('; ') };
    case 'as-declared': {
      const { messages, bytes, config } = found.stream;
      const guard = config.denyDelete && config.denyPurge ? ', neither delete nor purge' : '';
      return { name, ok: true, detail: `${messages} messages, ${bytes} bytes${guard}` };
    }
  }
};

const MAX_SKEW_MS = 2_000;

const clockChecks = async ({ connections, now }: Examined): Promise<readonly Check[]> => {
  const { control } = connections.streams;
  try {
    const rtt = await control.rtt();
    return [
      {
        name: 'way to nats-server',
        ok: rtt < MAX_SKEW_MS,
        detail: `${rtt} ms, clock ${new Date(now()).toISOString()}`,
      },
    ];
  } catch (cause) {
    return [{ name: 'way to nats-server', ok: false, detail: (cause as Error).message }];
  }
};

const folderChecks = ({ folder }: Servers): readonly Check[] =>
  [folder.root, folder.keys, folder.nats].map((path) => {
    const mode = statSync(path).mode & 0o777;
    return { name: `folder ${path}`, ok: (mode & 0o077) === 0, detail: `mode 0${mode.toString(8)}` };
  });

/** As the publisher's role, which may read FLAGS. */
const publishedChecks = ({ connections, now }: Examined): Promise<readonly Check[]> => {
  const { store, streams, pin } = connections;
  return channelChecks({ store, streams: streams.publisher, pin, now });
};

const projectionChecks = async ({ projection, connections }: Examined): Promise<readonly Check[]> => {
  const newest = async (): Promise<number> => {
    const found = await connections.streams.control.info(STREAMS.log);
    if (found === null) throw new Error('stream LOG does not exist');
    return found.lastSequence;
  };
  return [await projectionCheck({ projection, newest })];
};

/** A source whose newest messages the gateway refuses: its channels stand still, however well the stream looks. */
const sourceChecks = ({ servers, refusals }: Examined): readonly Check[] =>
  ['own', ...servers.upstreams.map(({ name }) => name)].map((root) => {
    const refused = refusals.of(root);
    const detail = refused.length === 0 ? 'nothing is refused' : `refused: ${refused.join('; ')}`;
    return { name: `flags of ${root}`, ok: refused.length === 0, detail };
  });

const known = (name: string, value: unknown, isWell: (text: string) => boolean, wanted: string): Check =>
  value === undefined || value === null
    ? { name, ok: null, detail: 'unknown: the server hides it' }
    : { name, ok: isWell(String(value)), detail: `${String(value)} (${wanted})` };

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
/** A server's answer to a system request: `{server, data}`. */
const dataOf = (answer: unknown): Record<string, unknown> => recordOf(recordOf(answer).data);
