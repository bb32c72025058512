import { createHash } from 'node:crypto';
import { acknowledged } from '@headgate/contracts';
import { CommandFailed, EXIT } from '../exit.js';
import type { Session } from '../session.js';
import { say } from '../terminal.js';
import type { Step } from './plan-import.js';

export interface Outcome {
  readonly step: Step;
  /** Absent: done, or nothing to do. */
  readonly failure?: CommandFailed;
}

export interface CarryOut {
  /** `v1/projects/<project>/channels/<channel>` */
  readonly path: readonly string[];
  readonly why: string;
  /** Of the whole import; each item's command id comes from it, so that repeating the import repeats no item. */
  readonly commandId: string;
}

/** Nobody could do the next item either. */
const FINAL: readonly number[] = [EXIT.notAllowed, EXIT.unreachable, EXIT.interrupted];

/** Sends one command per item. A refused item stops none of the others; a server that is away or says no stops them all. */
export const carryOut = async (
  session: Session,
  steps: readonly Step[],
  how: CarryOut,
): Promise<readonly Outcome[]> => {
  const outcomes: Outcome[] = [];
  for (const step of steps) {
    if (step.action === 'same') {
      outcomes.push({ step });
      continue;
    }
    try {
      await send(session, step, how);
      say(session.terminal, `${step.action === 'create' ? 'created' : 'changed'} ${step.kind} ${step.name}`);
      outcomes.push({ step });
    } catch (cause) {
      if (!(cause instanceof CommandFailed)) throw cause;
      outcomes.push({ step, failure: cause });
      if (FINAL.includes(cause.exit)) break;
    }
  }
  return outcomes;
};

const send = async (
  { client }: Session,
  { kind, name, action, definition }: Step,
  { path, why, commandId }: CarryOut,
): Promise<unknown> => {
  const isNew = action === 'create';
  const called = kind === 'flag' ? { key: name } : { name };
  return client.call({
    method: isNew ? 'POST' : 'PUT',
    path: isNew ? [...path, `${kind}s`] : [...path, `${kind}s`, name],
    body: { ...(isNew ? called : {}), definition, why },
    answer: acknowledged,
    commandId: itemId(commandId, `${action} ${kind} ${name}`),
  });
};

/** A UUID of version 8 (RFC 9562) from the import's id and the item. */
const itemId = (commandId: string, item: string): string => {
  const hex = createHash('sha256').update(`${commandId} ${item}`).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
};
