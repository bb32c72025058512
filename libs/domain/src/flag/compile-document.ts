import type { FlagDocument, JsonValue } from '@headgate/contracts';
import type { Flag, Split } from './flag.js';

const WHOLE_PPM = 1_000_000;

/**
 * The document readers get; `null` ends an archived flag. A pure function of the flag's state: the same log gives the same
 * bytes. A killed flag is DISABLED, so that every flagd client serves its code's default too.
 */
export const compileDocument = (project: string, flag: Flag): FlagDocument | null => {
  if (flag.status === 'archived') return null;
  const { definition, split } = flag;
  const targeting = compileTargeting(definition.targeting, definition.defaultVariant ?? null, split);
  return {
    schema: 'headgate.flag.v1',
    project,
    channel: flag.channel,
    flagId: flag.id,
    key: flag.key,
    state: flag.status === 'killed' ? 'DISABLED' : definition.state,
    variants: definition.variants,
    defaultVariant: definition.defaultVariant,
    ...(targeting === undefined ? {} : { targeting }),
    ...(split ? { rollout: splitOf(split) } : {}),
    overridable: definition.overridable,
    ...(flag.status === 'killed' ? { killed: { at: flag.killed.at, why: flag.killed.why } } : {}),
    ...(definition.expires === undefined ? {} : { expires: definition.expires }),
    ...(definition.owner === undefined ? {} : { owner: definition.owner }),
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

/** The flag's own rules go first; who falls through them is split. The wanted variant stands first: raising its weight only adds members. */
const compileTargeting = (
  own: JsonValue | undefined,
  defaultVariant: string | null,
  split: Split | null,
): JsonValue | undefined => {
  if (!split) return own;
  const fractional: JsonValue = {
    fractional: [
      { cat: [split.seed, { var: 'targetingKey' }] },
      [split.variant, split.weightPpm],
      [defaultVariant, WHOLE_PPM - split.weightPpm],
    ],
  };
  // Strictly: a rule that answers false or 0 names a variant too.
  return hasRules(own) ? { if: [{ '!==': [own, null] }, own, fractional] } : fractional;
};

/** To flagd an empty object is no rule. */
const hasRules = (own: JsonValue | undefined): own is JsonValue =>
  own !== undefined && own !== null && (typeof own !== 'object' || Object.keys(own).length > 0);
