import type { JsonValue } from '@headgate/contracts';

/** A flagd condition, or why there is none. */
export type Condition =
  | { readonly when: JsonValue; readonly remark?: Remark }
  | { readonly why: string; readonly mend: string };

/** Carried, but not exactly. */
export interface Remark {
  readonly why: string;
  readonly mend: string;
}

/** Nobody when there is nothing to meet. */
export const anyOf = (conditions: readonly JsonValue[]): JsonValue =>
  conditions.length === 1
    ? (conditions[0] ?? false)
    : conditions.length === 0
      ? false
      : { or: [...conditions] };

/** Everybody when there is nothing to miss. */
export const allOf = (conditions: readonly JsonValue[]): JsonValue =>
  conditions.length === 1
    ? (conditions[0] ?? true)
    : conditions.length === 0
      ? true
      : { and: [...conditions] };
