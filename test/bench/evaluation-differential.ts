import fc from 'fast-check';
import { compare, EXCLUSIONS } from '../conformance/differential/compare.js';
import { differentialCase } from '../conformance/differential/generate-case.js';

/**
 * `npm run bench -- evaluation-differential [CASES] [SEED]`: generated flags and contexts, evaluated here and by flagd-core.
 * Ends with 1 at the first difference, which it prints as small as it can be made.
 */
const [cases = '100000', seed = String(Date.now() % 2_147_483_647)] = process.argv.slice(2);
process.stdout.write(`${cases} cases, seed ${seed}\n`);
for (const [name, reason] of Object.entries(EXCLUSIONS))
  process.stdout.write(`left out: ${name}: ${reason}\n`);

const begun = performance.now();
const result = fc.check(
  fc.property(differentialCase, (sample) => compare(sample) === null),
  { numRuns: Number(cases), seed: Number(seed) },
);
const seconds = ((performance.now() - begun) / 1_000).toFixed(0);
if (result.failed) {
  const [sample] = result.counterexample ?? [];
  process.stdout.write(`differs after ${result.numRuns} cases (path ${result.counterexamplePath}):\n`);
  process.stdout.write(`${JSON.stringify(sample, null, 2)}\n${JSON.stringify(sample && compare(sample))}\n`);
  process.exitCode = 1;
} else process.stdout.write(`${result.numRuns} cases agree, in ${seconds} s\n`);
