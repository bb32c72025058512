import type { FlagDocument } from '@headgate/contracts';
import { compileTargeting } from './compile-targeting.js';
import type { Flag, Split } from './flag.js';
import { ALONE, type Surroundings } from './surroundings.js';

/**
 * The document readers get; `null` ends an archived flag. A pure function of the flag's state and of what it refers to in its
 * channel: the same log gives the same bytes. A killed flag is DISABLED, so that every flagd client serves its code's default
 * too. What decides is one expression (ADR 0010): segments and prerequisites are written out in it.
 */
export const compileDocument = (
  project: string,
  flag: Flag,
  around: Surroundings = ALONE,
): FlagDocument | null => {
  if (flag.status === 'archived') return null;
  const { definition, split } = flag;
  const { targeting, defaultVariant } = compileTargeting(flag, around);
  const { bounds, type, tags, metadata, expires, owner } = definition;
  return {
    schema: 'headgate.flag.v1',
    project,
    channel: flag.channel,
    flagId: flag.id,
    key: flag.key,
    state: flag.status === 'killed' ? 'DISABLED' : definition.state,
    variants: definition.variants,
    // Absent, not undefined: only what JSON can say can be signed.
    ...(defaultVariant === undefined ? {} : { defaultVariant }),
    ...(targeting === undefined ? {} : { targeting }),
    ...(split ? { rollout: splitOf(split) } : {}),
    overridable: definition.overridable,
    ...(bounds === undefined ? {} : { bounds }),
    ...(type === undefined ? {} : { type }),
    ...(tags === undefined ? {} : { tags }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(flag.status === 'killed' ? { killed: { at: flag.killed.at, why: flag.killed.why } } : {}),
    ...(expires === undefined ? {} : { expires }),
    ...(owner === undefined ? {} : { owner }),
    why: flag.why,
    epoch: flag.epoch,
    position: flag.position,
  };
};

const splitOf = ({
  rolloutId,
  seed,
  variant,
  weightPpm,
  reportEveryMs,
}: Split): NonNullable<FlagDocument['rollout']> => ({
  id: rolloutId,
  seed,
  variant,
  weightPpm,
  ...(reportEveryMs === undefined ? {} : { reportEveryMs }),
});
