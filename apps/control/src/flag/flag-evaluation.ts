import type { EvaluationView, JsonValue } from '@headgate/contracts';
import {
  CommandRefused,
  compileDocument,
  explainDefinition,
  type Flag,
  type ProjectState,
  surroundingsOf,
} from '@headgate/domain';
import { compileFlag } from '@headgate/evaluation';

/** What a flag gives a context at a moment: evaluated from the document that readers get, explained from the definition. */
export const viewEvaluation = (
  state: ProjectState,
  project: string,
  flag: Flag,
  context: { readonly [attribute: string]: JsonValue },
  atMs: number,
): EvaluationView => {
  const around = surroundingsOf(state, flag.channel);
  const document = compileDocument(project, flag, around);
  if (!document) throw new CommandRefused('flag-archived', `flag "${flag.key}" was archived`);
  const now = (): number => atMs;
  const { value, ...evaluation } = compileFlag(document, { now })(context);
  return {
    key: flag.key,
    ...evaluation,
    ...(value === undefined ? {} : { value: value as JsonValue }),
    trace: explainDefinition(flag, around, { context, now }).map((step) => ({ ...step })),
  };
};
