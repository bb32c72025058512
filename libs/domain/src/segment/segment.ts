import type { LogEvent, SegmentDefinition } from '@headgate/contracts';

export interface Segment {
  readonly status: 'active' | 'removed';
  readonly id: string;
  readonly channel: string;
  readonly name: string;
  readonly definition: SegmentDefinition;
  readonly why: string;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly epoch: number;
  readonly position: number;
}

export type SegmentEvent = Extract<
  LogEvent,
  { type: 'segment-created.v1' | 'segment-changed.v1' | 'segment-removed.v1' }
>;

export const evolveSegment = (state: Segment | undefined, event: SegmentEvent): Segment => {
  const mark = { changedAt: event.at, epoch: event.epoch, position: event.position, why: event.data.why };
  if (event.type === 'segment-created.v1') {
    const { channel, name, definition } = event.data;
    const id = event.aggregateId;
    return { status: 'active', id, channel, name, definition, createdAt: event.at, ...mark };
  }
  if (!state)
    throw new Error(
      `${event.type} at position ${event.position}: segment ${event.aggregateId} was never created`,
    );
  switch (event.type) {
    case 'segment-changed.v1':
      return { ...state, ...mark, definition: event.data.definition };
    case 'segment-removed.v1':
      return { ...state, ...mark, status: 'removed' };
  }
};
