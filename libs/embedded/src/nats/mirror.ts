import { STREAMS, upstreamStream } from '@headgate/contracts';

/** One vendor's mirror of one upstream: both sides derive every name from these two, so that they cannot disagree. */
export interface Link {
  /** Name of the upstream installation, as the vendor's stream `UP_<root>` carries it. */
  readonly root: string;
  /** Name under which the upstream enrolled the vendor. */
  readonly vendor: string;
}

const SECOND_NANOS = 1_000_000_000;

/** Account of the upstream to which leaf nodes of its vendors bind. It owns no stream and no user of `HG`. */
export const LINK_ACCOUNT = 'LINK';

/**
 * Account of the vendor to which its leaf towards `root` binds. One per upstream and never `LINK`: two leaves in one
 * account would pass each other's messages on.
 */
export const linkAccount = (root: string): string => `LINK_${root}`;

export const linkUser = ({ vendor }: Pick<Link, 'vendor'>): string => `vendor-${vendor}`;

export const mirrorConsumerName = ({ root, vendor }: Link): string => `fed_${root}_${vendor}`;

export const mirrorApiPrefix = (root: string): string => `fedapi.${root}`;

const mirrorDeliverPrefix = ({ root, vendor }: Link): string => `fed.${root}.${vendor}`;

export const mirrorDeliverSubject = (link: Link): string => `${mirrorDeliverPrefix(link)}.d`;

/** The one request of JetStream's API a vendor may make: start its own consumer again from a sequence it names. */
export const mirrorResetSubject = (link: Link): string =>
  `${mirrorApiPrefix(link.root)}.CONSUMER.RESET.${STREAMS.flags}.${mirrorConsumerName(link)}`;

export const mirrorFlowSubject = (link: Link): string =>
  `$JS.FC.${STREAMS.flags}.${mirrorConsumerName(link)}.>`;

/**
 * The durable push consumer on the upstream's `FLAGS` that feeds one vendor's mirror (ADR-60 of nats-server, 2.14 and
 * later). Made by the upstream, so that a vendor needs no right to make consumers. Plain data of JetStream's API.
 */
export function mirrorConsumerConfig(link: Link) {
  return {
    stream: STREAMS.flags,
    config: {
      durable_name: mirrorConsumerName(link),
      deliver_subject: mirrorDeliverSubject(link),
      deliver_policy: 'all',
      ack_policy: 'flow_control',
      filter_subject: 'hg.flags.>',
      flow_control: true,
      idle_heartbeat: SECOND_NANOS,
      max_ack_pending: 1_000,
      max_deliver: -1,
    },
  } as const;
}

/** The stream `UP_<root>` in which a vendor holds its mirror. Plain data of JetStream's API; immutable on both sides. */
export function mirrorStreamConfig(link: Link) {
  return {
    name: upstreamStream(link.root),
    storage: 'file',
    retention: 'limits',
    num_replicas: 1,
    max_msgs_per_subject: 1,
    allow_direct: true,
    // true would have the mirror answer direct gets for a stream of its origin's name: the vendor's own FLAGS
    mirror_direct: false,
    mirror: {
      name: STREAMS.flags,
      consumer: { name: mirrorConsumerName(link), deliver_subject: mirrorDeliverSubject(link) },
      external: { api: mirrorApiPrefix(link.root), deliver: mirrorDeliverPrefix(link) },
    },
  } as const;
}
