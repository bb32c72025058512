/** What is wrong with a definition: where, as a dotted path into it, and the mend. */
export interface Problem {
  readonly path: string;
  /** Short and stable. */
  readonly code: string;
  readonly message: string;
}

export const problem = (path: string, code: string, message: string): Problem => ({ path, code, message });

export const describeProblem = ({ path, message }: Problem): string =>
  path === '' ? message : `${path}: ${message}`;
