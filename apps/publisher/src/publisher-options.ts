import type { EventStore } from '@headgate/event-store';
import type { Streams } from '@headgate/streams';

export const PUBLISHER_OPTIONS = Symbol('publisher options');

export interface PublisherModuleOptions {
  readonly store: Pick<EventStore, 'follow'>;
  readonly streams: Streams;
  /** `<dataDir>/keys`: made at the first start, 0700. */
  readonly keysFolder: string;
  readonly keysPassphrase?: string;
  /** 5 s by default. */
  readonly beatEveryMs?: number;
  readonly clock: () => number;
}
