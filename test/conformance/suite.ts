/** One case of a suite: passes when `run` returns, fails when it throws. */
export interface Case {
  readonly name: string;
  readonly run: () => void;
}

export interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
  /** Cases of the source that do not apply, each with the reason; they are counted, never called passed. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

export interface SuiteResult {
  readonly suite: string;
  readonly passed: number;
  readonly failed: readonly { readonly name: string; readonly message: string }[];
  readonly skipped: number;
}

export const runSuite = ({ name, cases, skipped }: Suite): SuiteResult => {
  const failed: { name: string; message: string }[] = [];
  for (const { name: caseName, run } of cases) {
    try {
      run();
    } catch (error) {
      failed.push({ name: caseName, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return { suite: name, passed: cases.length - failed.length, failed, skipped: skipped.length };
};
