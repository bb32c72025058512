import { hazardRatios } from '../engine/log-rank.js';
import { normalMixtureScore } from '../engine/normal-mixture.js';

/** The pre-period is one draw of the noise; a step may be noisier. */
const noiseReserve = 1.1;
const power80 = 0.84;

/** Information on a relative effect that arms of this size will give. */
export function plannedInformation(unit: number, variance: number, n1: number, n0: number): number {
  if (!(variance > 0) || n1 === 0 || n0 === 0) return 0;
  return (unit * unit) / (noiseReserve * variance * (1 / n1 + 1 / n0));
}

/** Smallest relative effect that engine N finds with 80 % power against `lnThreshold`. */
export function detectableEffect(information: number, tau: number, lnThreshold: number): number | null {
  if (!(information > 0)) return null;
  return (normalMixtureScore(lnThreshold, information, tau) + power80) / Math.sqrt(information);
}

/**
 * Smallest hazard ratio of the grid whose expected events carry `lnThreshold`, as relative increase; null without a
 * known base rate or when none does. Each event is worth KL(p_h ‖ p_0) nats, and 1.5 nats are lost on the mixture.
 */
export function detectableHazard(rate: number, n1: number, n0: number, lnThreshold: number): number | null {
  if (!(rate > 0) || n1 === 0 || n0 === 0) return null;
  const p0 = n1 / (n1 + n0);
  for (const h of hazardRatios) {
    const ph = (h * n1) / (h * n1 + n0);
    const nats = ph * Math.log(ph / p0) + (1 - ph) * Math.log((1 - ph) / (1 - p0));
    if (rate * (h * n1 + n0) * nats >= lnThreshold + 1.5) return h - 1;
  }
  return null;
}
