import { writeFileSync } from 'node:fs';
import { countNotRun, describeNotRun } from './not-run.mjs';

/**
 * The part of jest's results that is used here.
 *
 * @typedef {object} RunResults
 * @property {readonly { readonly testResults: readonly { readonly fullName: string, readonly status: string }[] }[]} testResults
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numRuntimeErrorTestSuites
 */

/**
 * Ends a run of jest with what was not run, and fails it for tests skipped without a reason, unless the caller chose
 * tests by name. Writes the totals to $HEADGATE_TOTALS_FILE where that is set, for .ci/run.
 */
export default class NotRunReporter {
  /** @type {Error | undefined} */
  #error;
  #isPartial;

  /** @param {{ readonly testNamePattern?: string }} config */
  constructor(config) {
    this.#isPartial = Boolean(config.testNamePattern);
  }

  /**
   * @param {unknown} _contexts
   * @param {RunResults} results
   */
  onRunComplete(_contexts, results) {
    const notRun = countNotRun(results.testResults.flatMap(({ testResults }) => testResults));
    if (!this.#isPartial) {
      process.stderr.write(`${describeNotRun(notRun)}\n`);
      for (const name of notRun.unexplained) process.stderr.write(`  skipped without a reason: ${name}\n`);
      if (notRun.unexplained.length > 0) this.#error = new Error('tests were skipped without a reason');
    }
    const file = process.env.HEADGATE_TOTALS_FILE;
    if (!file) return;
    // a suite that did not even load has no tests to count
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites + notRun.unexplained.length;
    writeFileSync(file, `${results.numPassedTests} ${failed} ${notRun.count}\n`);
  }

  getLastError() {
    return this.#error;
  }
}
