import { lnMean } from '../numeric/ln-sum.js';

/** Ten ratios from 1.15 to 8, then three for breakage at once: a crash on start is worth ln(1/p) only if it is bet on. */
export const hazardRatios: readonly number[] = [
  ...Array.from({ length: 10 }, (_, k) => 1.15 * (8 / 1.15) ** (k / 9)),
  16,
  40,
  100,
];

export interface RiskSet {
  readonly canary: Uint8Array;
  /** 1 = at risk when the step begins, unless its event or its censoring lies before. */
  readonly atRisk: Uint8Array;
  /** First event; NaN = none. */
  readonly eventAt: Float64Array;
  /** From when on the instance can no longer be seen to have one; NaN = always. */
  readonly censoredAt: Float64Array | null;
}

export interface LogRank {
  /** ln wealth per hazard ratio, to be carried into the next step. */
  readonly wealth: readonly number[];
  readonly lnE: number;
  /** At risk when the step began. */
  readonly atRisk1: number;
  readonly atRisk0: number;
  readonly events1: number;
  readonly events0: number;
}

/**
 * Anytime-valid log-rank test (ter Schure, Pérez-Ortiz, Ly, Grünwald 2024) over the events in (from, until], continuing
 * `wealth`. At each event the chance that it strikes the canary is at most p₀ = r₀R₁/(r₀R₁+R₀) under the null; every bet
 * says that it is h times as likely. Exact at any size; a base rate that varies with time cancels. Where an arm has
 * nobody at risk an event says nothing.
 */
export function logRank(
  risk: RiskSet,
  { from, until, margin, wealth }: { from: number; until: number; margin: number; wealth: readonly number[] },
): LogRank {
  const carried = wealth.length === hazardRatios.length ? wealth : hazardRatios.map(() => 0);
  const next = [...carried];
  const opening = openingRisk(risk, from);
  const at = { ...opening };
  let events1 = 0;
  let events0 = 0;
  for (const change of changesBetween(risk, from, until)) {
    const isCanary = risk.canary[change.index] === 1;
    if (change.isEvent) {
      bet(next, isCanary, 1 + margin, at.canary, at.baseline);
      if (isCanary) events1 += 1;
      else events0 += 1;
    }
    if (isCanary) at.canary -= 1;
    else at.baseline -= 1;
  }
  return {
    wealth: next,
    lnE: lnMean(next),
    atRisk1: opening.canary,
    atRisk0: opening.baseline,
    events1,
    events0,
  };
}

function bet(wealth: number[], isCanary: boolean, r0: number, atRisk1: number, atRisk0: number): void {
  if (atRisk1 <= 0 || atRisk0 <= 0) return;
  const p0 = (r0 * atRisk1) / (r0 * atRisk1 + atRisk0);
  for (let k = 0; k < wealth.length; k++) {
    const odds = hazardRatios[k]! * r0 * atRisk1;
    const ph = odds / (odds + atRisk0);
    wealth[k]! += isCanary ? Math.log(ph / p0) : Math.log((1 - ph) / (1 - p0));
  }
}

function endOf(risk: RiskSet, i: number): { readonly at: number; readonly isEvent: boolean } {
  const event = risk.eventAt[i]!;
  const censored = risk.censoredAt?.[i] ?? Number.NaN;
  if (!Number.isNaN(event) && !(censored < event)) return { at: event, isEvent: true };
  return { at: !Number.isNaN(censored) ? censored : Number.POSITIVE_INFINITY, isEvent: false };
}

function openingRisk(risk: RiskSet, from: number): { canary: number; baseline: number } {
  const open = { canary: 0, baseline: 0 };
  for (let i = 0; i < risk.canary.length; i++) {
    if (risk.atRisk[i] !== 1 || endOf(risk, i).at <= from) continue;
    if (risk.canary[i] === 1) open.canary += 1;
    else open.baseline += 1;
  }
  return open;
}

/** Ends of risk in order of time, then of id: the order in which a replay meets them. */
function changesBetween(risk: RiskSet, from: number, until: number) {
  const changes: { at: number; index: number; isEvent: boolean }[] = [];
  for (let i = 0; i < risk.canary.length; i++) {
    if (risk.atRisk[i] !== 1) continue;
    const end = endOf(risk, i);
    if (end.at > from && end.at <= until) changes.push({ ...end, index: i });
  }
  return changes.sort((a, b) => a.at - b.at || a.index - b.index);
}
