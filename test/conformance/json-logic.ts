import { deepStrictEqual, throws } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluateRule } from '@headgate/evaluation';
import type { Suite } from './suite.js';

type Line =
  | string
  | ({ readonly description: string; readonly rule: unknown; readonly data?: unknown } & (
      | { readonly result: unknown }
      | { readonly error: unknown }
    ));

/** The classic cases of JsonLogic, which every implementation has to agree on. */
export const jsonLogicSuite = (path: string): Suite => {
  const file = join(path, 'jsonlogic', 'compat-tables', 'suites', 'compatible.json');
  const lines: readonly Line[] = JSON.parse(readFileSync(file, 'utf8'));
  // texts are headings between the cases
  const cases = lines.filter((line) => typeof line !== 'string');
  return {
    name: 'JsonLogic compatible',
    cases: cases.map((line) => ({
      name: line.description,
      run: () => {
        const run = () => evaluateRule(line.rule, line.data ?? null);
        if ('error' in line) throws(run);
        else deepStrictEqual(run(), line.result);
      },
    })),
    skipped: [],
  };
};
