import { flagdEvaluatorSuites } from './flagd-evaluator.js';
import { flagdSchemaSuites } from './flagd-schema.js';
import { jsonLogicSuite } from './json-logic.js';
import type { Suite } from './suite.js';

/** Every suite over vectors that this project did not write, read from where they lie. */
export const suitesIn = (path: string): readonly Suite[] => [
  ...flagdEvaluatorSuites(path),
  ...flagdSchemaSuites(path),
  jsonLogicSuite(path),
];
