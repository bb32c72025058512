import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runSuite, type SuiteResult } from './suite.js';
import { suitesIn } from './suites.js';

/** `npm run conformance -- PATH`: external vectors, read from PATH. Ends with 1 if a case failed, 2 if nothing could run. */
const [given] = process.argv.slice(2);
const path = given ? resolve(given) : null;

if (path === null || !existsSync(join(path, 'flagd-testbed'))) {
  process.stderr.write(
    `${path === null ? 'no folder of vectors was given' : `${path} holds no flagd-testbed`}: no suite ran\nusage: npm run conformance -- ../shared/conformance\n`,
  );
  process.exitCode = 2;
} else {
  const results = suitesIn(path).map((suite) => {
    const result = runSuite(suite);
    process.stdout.write(describe(result));
    for (const { name, reason } of suite.skipped) process.stdout.write(`    skipped: ${name}: ${reason}\n`);
    return result;
  });
  const total = {
    suite: `total of ${results.length} suites`,
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.flatMap(({ failed }) => failed),
    skipped: results.reduce((sum, { skipped }) => sum + skipped, 0),
  };
  process.stdout.write(describe({ ...total, failed: [] }, total.failed.length));
  process.exitCode = total.failed.length === 0 ? 0 : 1;
}

function describe({ suite, passed, failed, skipped }: SuiteResult, failures = failed.length): string {
  const lines = [`${suite}: passed ${passed}, failed ${failures}, skipped ${skipped}`];
  for (const { name, message } of failed)
    lines.push(`    failed: ${name}`, message.replace(/^/gm, '        '));
  return `${lines.join('\n')}\n`;
}
