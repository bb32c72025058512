export type RuleProblemCode =
  | 'unknown-operator'
  | 'not-one-operator'
  | 'wrong-arguments'
  | 'unknown-variable'
  | 'unresolved-reference'
  | 'wrong-weights'
  | 'no-such-variant'
  | 'unreachable'
  | 'fails-always'
  | 'too-deep'
  | 'too-large';

/** `path` is a JSON Pointer (RFC 6901) into the rule, '' for the rule itself; `message` says what to do about it. */
export interface RuleProblem {
  readonly path: string;
  readonly code: RuleProblemCode;
  readonly message: string;
}

export type Report = (path: string, code: RuleProblemCode, message: string) => void;

export const pointer = (path: string, key: string | number): string =>
  `${path}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** For messages: what somebody wrote, never more than a glance of it. */
export const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};
