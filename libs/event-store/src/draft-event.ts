import { type AggregateKind, EVENT_SCHEMAS, type Fact } from '@headgate/contracts';
import type { EventDraft } from '@headgate/trust';

/** One try at one command, with everything that is not in the command: who, when, and what randomness. */
export interface Order {
  readonly commandId: string;
  readonly commandDigest: string;
  readonly actor: string;
  readonly causationId: string;
  readonly correlationId: string;
  readonly epoch?: number;
  readonly now: number;
  readonly eventId: string;
  readonly salt: string;
}

interface Aggregate {
  readonly project: string;
  readonly kind: AggregateKind;
  readonly aggregateId: string;
}

/** The fact as an event that every reader can take in: nothing is written that our own schema would refuse to read. */
export const draftEvent = (fact: Fact, aggregate: Aggregate, order: Order): EventDraft => {
  const data = EVENT_SCHEMAS[fact.type].safeParse(fact.data);
  if (!data.success)
    throw new Error(`the decider made a ${fact.type} that cannot be read back: ${data.error.message}`, {
      cause: data.error,
    });
  return {
    id: order.eventId,
    commandId: order.commandId,
    commandDigest: order.commandDigest,
    type: fact.type,
    ...aggregate,
    at: order.now,
    actor: order.actor,
    causationId: order.causationId,
    correlationId: order.correlationId,
    salt: order.salt,
    data: data.data,
  };
};
