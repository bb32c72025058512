import { type Fact, GENESIS_HASH, type LogEvent } from '@headgate/contracts';
import {
  aggregateOf,
  applyEvent,
  type Command,
  CommandRefused,
  decide,
  emptyProject,
  type ProjectState,
} from '@headgate/domain';

const START = 1_780_000_000_000;

/** An event of a chain with everything the domain looks at; hashes are stand-ins, which only libs/trust reads. */
export const eventOf = (
  project: string,
  position: number,
  at: number,
  aggregateId: string,
  kind: LogEvent['kind'],
  fact: Fact,
): LogEvent =>
  ({
    id: idOf(900_000 + position),
    commandId: idOf(800_000 + position),
    commandDigest: GENESIS_HASH,
    project,
    kind,
    aggregateId,
    epoch: 1,
    position,
    at,
    actor: 'spec',
    causationId: '',
    correlationId: '',
    salt: null,
    dataHash: GENESIS_HASH,
    prevHash: GENESIS_HASH,
    hash: position.toString(16).padStart(64, '0'),
    ...fact,
  }) as LogEvent;

/** The n-th id of a spec: a valid UUIDv7 that says which one it is. */
export const idOf = (n: number): string => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/** Folds facts that the decider itself made from commands, so that a story cannot contain an impossible past. */
export const stateAfter = (...commands: readonly Command[]): ProjectState => {
  const state = emptyProject();
  for (const [index, command] of commands.entries()) {
    const at = START + index * 1_000;
    const { kind, aggregateId } = aggregateOf(command);
    applyEvent(state, eventOf(command.project, index + 1, at, aggregateId, kind, decide(state, command, at)));
  }
  return state;
};

/** given(commands so far).when(command).thenDecides(fact) or .thenRefused(code); throws with both sides when they differ. */
export const given = (...commands: readonly Command[]) => ({
  when: (command: Command, now = START + commands.length * 1_000) => {
    const answer = attempt(() => decide(stateAfter(...commands), command, now));
    return {
      thenDecides: (fact: Fact): void => same(answer, fact),
      thenRefused: (code: CommandRefused['code']): void =>
        same(answer instanceof CommandRefused ? answer.code : answer, code),
    };
  },
});

const attempt = (run: () => Fact): Fact | CommandRefused => {
  try {
    return run();
  } catch (error) {
    if (error instanceof CommandRefused) return error;
    throw error;
  }
};

const same = (got: unknown, wanted: unknown): void => {
  const [g, w] = [print(got), print(wanted)];
  if (g !== w) throw new Error(`wanted ${w}\n   got ${g}`);
};

const print = (value: unknown): string =>
  value instanceof CommandRefused
    ? `refused ${value.code}: ${value.message}`
    : JSON.stringify(value, sortKeys, 1);

const sortKeys = (_key: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
