import type { FlagDefinition, JsonValue } from '@headgate/contracts';
import { bytesOver } from '../channel-room.js';
import { CommandRefused } from '../command-refused.js';
import type { ProjectState } from '../project-state.js';
import { surroundingsOf } from '../surroundings-of.js';
import { dependentsOf, flagUse, segmentUse } from '../used-by.js';
import { checkDefinition } from './check-definition.js';
import { checkCompiled } from './check-size.js';
import type { Flag } from './flag.js';
import { describeProblem } from './problem.js';
import { type Surroundings, withFlag, withoutKills, withSegment } from './surroundings.js';

/** Refuses a definition that cannot be published as it stands, or that would break what hangs on it. */
export const refuseBadFlag = (
  state: ProjectState,
  place: { readonly channel: string; readonly key: string; readonly id: string },
  definition: FlagDefinition,
): void => {
  const { channel, key, id } = place;
  const before = withoutKills(surroundingsOf(state, channel));
  const lines = checkDefinition(definition, key, before).map(describeProblem);
  if (lines.length > 0) throw new CommandRefused('flag-invalid', `flag "${key}": ${lines.join('; ')}`, lines);
  const existing = state.flags.get(id);
  const flag = { id, key, definition, status: 'active' as const, split: existing?.split ?? null };
  const dependents = dependentsOf(state, flagUse(channel, key)).filter((one) => one.id !== id);
  refuseMissingVariants(key, definition, dependents);
  const around = withFlag(before, flag);
  refuseBrokenDependents(`flag "${key}"`, dependents, around);
  refuseFullChannel(bytesOver(state, channel, around, [flag, ...dependents], undefined, before), channel);
};

/** The same for a segment's condition. */
export const refuseBadSegmentChange = (
  state: ProjectState,
  { channel, name }: { readonly channel: string; readonly name: string },
  when: JsonValue,
): void => {
  const before = withoutKills(surroundingsOf(state, channel));
  const around = withSegment(before, name, when);
  const dependents = dependentsOf(state, segmentUse(channel, name));
  refuseBrokenDependents(`segment "${name}"`, dependents, around);
  refuseFullChannel(bytesOver(state, channel, around, dependents, undefined, before), channel);
};

const refuseMissingVariants = (
  key: string,
  { variants }: FlagDefinition,
  dependents: readonly Flag[],
): void => {
  const lines = dependents.flatMap((one) =>
    (one.definition.prerequisites ?? [])
      .filter(({ flag }) => flag === key)
      .flatMap((prerequisite) => prerequisite.variants)
      .filter((name) => !Object.hasOwn(variants, name))
      .map((name) => `flag "${one.key}" waits for its variant "${name}"`),
  );
  if (lines.length > 0) throw new CommandRefused('flag-needed', `flag "${key}": ${lines.join('; ')}`, lines);
};

const refuseBrokenDependents = (what: string, dependents: readonly Flag[], around: Surroundings): void => {
  const lines = dependents.flatMap((flag) =>
    checkCompiled(flag, around).map(
      (fault) => `flag "${flag.key}", which uses it: ${describeProblem(fault)}`,
    ),
  );
  if (lines.length > 0) throw new CommandRefused('flag-needed', `${what}: ${lines.join('; ')}`, lines);
};

const refuseFullChannel = (over: number, channel: string): void => {
  if (over > 0)
    throw new CommandRefused(
      'channel-full',
      `channel "${channel}" would be ${over} bytes over the 4 MiB that flagd clients take as one state`,
    );
};
