import { readFileSync } from 'node:fs';
import { describeWhereFound } from '@headgate/testing';
import { bestRho, lnNormalMixture, normalMixtureScore } from './normal-mixture.js';
import { lnSampleRatio } from './sample-ratio.js';

interface Case {
  readonly fn: string;
  readonly sided?: 1 | 2;
  readonly s: number;
  readonly v: number;
  readonly alpha: number;
  readonly g: number;
  readonly h: number;
  readonly expected: number;
}

interface IntervalCase {
  readonly successes: number;
  readonly n: number;
  readonly t_opt: number;
  readonly expected: readonly [number, number];
}

const vectors = new URL('../../../../../shared/conformance/confseq/uniform_boundaries.json', import.meta.url);
const tolerance = 1e-5;
const optimum = 100;
const alpha = 0.05;

describeWhereFound('shared', 'confseq reference values', () => {
  const all = () => (JSON.parse(readFileSync(vectors, 'utf8')) as { readonly cases: readonly Case[] }).cases;
  const find = (fn: string, sided?: 1 | 2): Case => {
    const found = all().find((candidate) => candidate.fn === fn && candidate.sided === sided);
    if (found === undefined) throw new Error(`confseq has no case ${fn} (${sided}-sided)`);
    return found;
  };
  const tau = 1 / Math.sqrt(bestRho(optimum, alpha, 1));

  test('the best ρ of a two-sided mixture', () => {
    expect(Math.abs(bestRho(optimum, alpha, 2) - find('best_rho_two_sided').expected)).toBeLessThan(
      tolerance,
    );
  });

  test('engine N: the one-sided normal mixture', () => {
    const { s, v, expected } = find('normal_log_mixture', 1);
    expect(Math.abs(lnNormalMixture(s / Math.sqrt(v), v, tau) - expected)).toBeLessThan(tolerance);
  });

  test('engine N: the bound at which the one-sided mixture reaches 1/α', () => {
    const { v, expected } = find('normal_mixture_bound', 1);
    const bound = normalMixtureScore(-Math.log(alpha), v, tau) * Math.sqrt(v);
    expect(Math.abs(bound - expected)).toBeLessThan(tolerance);
  });

  test('engine S: the two-sided beta-binomial mixture, as Beta(κp, κ(1−p)) over counts', () => {
    const { s, v, g, h, expected } = find('beta_binomial_log_mixture', 2);
    const kappa = (bestRho(optimum, alpha, 2) - g * h) / (g * h);
    const found = lnSampleRatio(v / h + s, v / g - s, g / (g + h), kappa);
    expect(Math.abs(found - expected)).toBeLessThan(tolerance);
  });

  test('engine S: Bernoulli confidence intervals are where the same mixture reaches 1/α', () => {
    const intervals = all().filter(({ fn }) => fn === 'bernoulli_confidence_interval');
    expect(intervals).toHaveLength(2);
    for (const { successes, n, t_opt, expected } of intervals as unknown as readonly IntervalCase[]) {
      const lnAt = (p: number) => {
        const variance = p * (1 - p);
        const kappa = (bestRho(t_opt * variance, alpha, 2) - variance) / variance;
        return lnSampleRatio(successes, n - successes, p, kappa);
      };
      const share = successes / n;
      expect(Math.abs(crossing(lnAt, share, 1e-9) - expected[0])).toBeLessThan(tolerance);
      expect(Math.abs(crossing(lnAt, share, 1 - 1e-9) - expected[1])).toBeLessThan(tolerance);
    }
  });

  // Not ours: the two-sided normal mixture and its bound, gamma-exponential, gamma-Poisson and one-sided beta-binomial
  // mixtures and quantile A/B p-values belong to engines that the judge does not have.
  test('every other case of the file is of a function that the judge does not have', () => {
    const ours = [
      'best_rho_two_sided:',
      'normal_log_mixture:1',
      'normal_mixture_bound:1',
      'beta_binomial_log_mixture:2',
      'bernoulli_confidence_interval:',
    ];
    const reproduced = all().filter(({ fn, sided }) => ours.includes(`${fn}:${sided ?? ''}`));
    expect([reproduced.length, all().length]).toEqual([6, 16]);
  });
});

/** Where ln E reaches ln 1/α between `inside`, where it is below, and `outside`, where it is above. */
function crossing(lnAt: (p: number) => number, inside: number, outside: number): number {
  let [low, high] = [inside, outside];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (lnAt(middle) < -Math.log(alpha)) low = middle;
    else high = middle;
  }
  return low;
}
