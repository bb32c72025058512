const REASON = /\[not run: ([^\]]+)\]/;

/**
 * What a finished run says about tests that were not run.
 *
 * @typedef {object} NotRun
 * @property {number} count
 * @property {ReadonlyMap<string, number>} byTool
 * @property {readonly string[]} unexplained skipped without a reason, by `skip`, `todo` or a forgotten `only`
 */

/**
 * Sorts the tests of a run that did not run. Only `whereFound` of libs/testing gives a reason.
 *
 * @param {readonly { readonly fullName: string, readonly status: string }[]} tests
 * @returns {NotRun}
 */
export function countNotRun(tests) {
  /** @type {Map<string, number>} */
  const byTool = new Map();
  const skipped = tests.filter(({ status }) => ['pending', 'skipped', 'todo', 'disabled'].includes(status));
  const unexplained = skipped.flatMap(({ fullName }) => {
    const tool = REASON.exec(fullName)?.[1];
    if (tool) byTool.set(tool, (byTool.get(tool) ?? 0) + 1);
    return tool ? [] : [fullName];
  });
  return { count: skipped.length, byTool, unexplained };
}

/** @param {NotRun} notRun */
export function describeNotRun({ count, byTool, unexplained }) {
  const reasons = [...byTool].map(([tool, times]) => `${tool} not found: ${times}`);
  if (unexplained.length > 0) reasons.push(`without a reason: ${unexplained.length}`);
  return `not run: ${count}${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}`;
}
