import { join } from 'node:path';
import { describeWhereFound } from '@headgate/testing';
import { runSuite } from './suite.js';
import { suitesIn } from './suites.js';

const PATH = join(process.cwd(), '..', 'shared', 'conformance');

describeWhereFound('shared', 'external conformance vectors', () => {
  it('agree with every suite', () => {
    const results = suitesIn(PATH).map(runSuite);
    expect(results.flatMap(({ suite, failed }) => failed.map((failure) => ({ suite, ...failure })))).toEqual(
      [],
    );
    // a suite that lost its files would pass without a case
    expect(results.map(({ suite, passed }) => [suite, passed > 0])).toEqual(
      results.map(({ suite }) => [suite, true]),
    );
    expect(results.length).toBe(15);
    expect(results.reduce((sum, { passed }) => sum + passed, 0)).toBeGreaterThan(400);
  });
});
