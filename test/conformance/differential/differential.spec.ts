import fc from 'fast-check';
import { fuzzRun } from '../../support/fuzz-run.js';
import { compare } from './compare.js';
import { differentialCase } from './generate-case.js';

describe('the same flag and context, here and in flagd-core', () => {
  it('give the same value, variant, reason and error code', () => {
    const seen = new Map<string, number>();
    let excluded = 0;
    fc.assert(
      fc.property(differentialCase, (sample) => {
        const difference = compare(sample);
        if (difference === undefined) excluded += 1;
        expect(difference ?? null).toBeNull();
      }),
      { ...fuzzRun('evaluation beside flagd-core', 5_000), endOnFailure: false },
    );
    void seen;
    process.stderr.write(`excluded ${excluded}\n`);
  }, 120_000);
});
