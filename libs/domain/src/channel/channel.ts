import type { LogEvent } from '@headgate/contracts';

export interface Channel {
  readonly status: 'active';
  readonly id: string;
  readonly slug: string;
  readonly beatLifetimeMs: number;
  /** What rules may read of a context; absent: anything. */
  readonly attributes?: readonly string[];
  readonly createdAt: number;
  readonly why: string;
}

export type ChannelEvent = Extract<LogEvent, { type: 'channel-created.v1' }>;

export const evolveChannel = (_state: Channel | undefined, event: ChannelEvent): Channel => {
  switch (event.type) {
    case 'channel-created.v1':
      return {
        status: 'active',
        id: event.aggregateId,
        slug: event.data.slug,
        beatLifetimeMs: event.data.beatLifetimeMs,
        ...(event.data.attributes === undefined ? {} : { attributes: event.data.attributes }),
        createdAt: event.at,
        why: event.data.why,
      };
  }
};
