import type { FlagDefinition, FlagDocument, JsonValue } from '@headgate/contracts';
import {
  type CompilableFlag,
  compileDocument,
  type Flag,
  type ProjectState,
  prerequisitesOf,
  segmentsOf,
  surroundingsOf,
} from '@headgate/domain';
import { canonicalJson } from '@headgate/trust';

/**
 * Which of the newer documents say something that the log has lost. A flag that moved only with what it needs keeps the
 * definition that people wrote; what it needs is restored, and moves it again.
 */
export const lackingIn = (
  state: ProjectState,
  project: string,
  newer: readonly FlagDocument[],
): readonly FlagDocument[] => {
  const byKey = new Map(newer.map((document) => [document.key, document]));
  const answers = new Map<string, boolean>();
  const isLacking = (document: FlagDocument): boolean => {
    const known = answers.get(document.flagId);
    if (known !== undefined) return known;
    // Whoever asks again meanwhile goes in a circle, which no definition may.
    answers.set(document.flagId, true);
    const flag = state.flags.get(document.flagId);
    const answer = !flag || !needsOthers(flag) || !isExplained(flag, document);
    answers.set(document.flagId, answer);
    return answer;
  };
  const isExplained = (flag: Flag, document: FlagDocument): boolean => {
    const around = surroundingsOf(state, flag.channel);
    const compiled = compileDocument(project, flag, {
      ...around,
      flag: (key) => {
        const other = byKey.get(key);
        return other && isLacking(other) ? restoredFlag(other) : around.flag(key);
      },
    });
    return canonicalJson(withoutPlace(compiled)) === canonicalJson(withoutPlace(document));
  };
  const lacking = newer.filter(isLacking);
  // FLAGS is ahead of the log all the same, and somebody has to catch up with it.
  return lacking.length > 0 ? lacking : newer;
};

const needsOthers = ({ definition }: Flag): boolean =>
  prerequisitesOf(definition).length > 0 || segmentsOf(definition).length > 0;

const withoutPlace = (document: FlagDocument | null): object | null => {
  if (document === null) return null;
  const { epoch: _, position: __, ...rest } = document;
  return rest;
};

const restoredFlag = (document: FlagDocument): CompilableFlag => ({
  key: document.key,
  status: document.killed ? 'killed' : 'active',
  definition: definitionOf(document),
  split: null,
});

/** A document as a definition: what decides in it is one rule now, without the rollout’s split. */
export const definitionOf = (document: FlagDocument): FlagDefinition => {
  const { variants, overridable, bounds, type, tags, metadata, expires, owner, killed } = document;
  const targeting = ownTargeting(document);
  return {
    state: killed ? 'ENABLED' : document.state,
    variants,
    defaultVariant: document.defaultVariant,
    overridable,
    ...(targeting === undefined ? {} : { targeting }),
    ...(bounds === undefined ? {} : { bounds }),
    ...(type === undefined ? {} : { type }),
    ...(tags === undefined ? {} : { tags }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(expires === undefined ? {} : { expires }),
    ...(owner === undefined ? {} : { owner }),
  };
};

/** Takes a rollout's split off again; see compileDocument in libs/domain, whose inverse this is. */
const ownTargeting = ({ targeting, rollout, defaultVariant }: FlagDocument): JsonValue | undefined => {
  if (!rollout || targeting === undefined) return targeting;
  const branches = (targeting as { readonly if?: readonly JsonValue[] }).if;
  const split = branches?.at(-1);
  if (!Array.isArray(branches) || split === undefined) return undefined;
  const [when, then] = branches;
  const passedOn = (when as { readonly '!=='?: readonly JsonValue[] })['!=='];
  if (
    branches.length === 3 &&
    then !== undefined &&
    canonicalJson(passedOn?.[0] ?? null) === canonicalJson(then)
  )
    return then;
  return { if: [...branches.slice(0, -1), baselineOf(split, defaultVariant ?? null)] };
};

/** What the rollout's baseline is served, where it is not the document's default variant. */
const baselineOf = (split: JsonValue, defaultVariant: string | null): JsonValue => {
  const arms = (split as { readonly fractional?: readonly JsonValue[] }).fractional;
  const [baseline = null] = (arms?.[2] ?? []) as readonly JsonValue[];
  return baseline === defaultVariant ? null : baseline;
};
