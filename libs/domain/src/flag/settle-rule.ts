import type { JsonValue } from '@headgate/contracts';
import type { Surroundings } from './surroundings.js';
import { segmentOf } from './uses.js';

/**
 * A written rule as it goes into a document: segments in the place of their names. With `asFlag` the rule is to be evaluated
 * within another flag's document, so what flagd takes from the flag under evaluation is written out: its key, and the bucket
 * key of a split that names none.
 */
export const settleRule = (
  rule: JsonValue,
  segment: Surroundings['segment'],
  asFlag: string | null,
): JsonValue => {
  const settle = (node: JsonValue): JsonValue => {
    if (node === null || typeof node !== 'object') return node;
    if (Array.isArray(node)) return node.map(settle);
    const name = segmentOf(node);
    if (name !== null) {
      const condition = segment(name);
      // A segment refers to no other, so this ends.
      return condition === undefined ? node : settleRule(condition, () => undefined, asFlag);
    }
    if (asFlag !== null && readsFlagKey(node)) return { cat: [asFlag] };
    const settled = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, settle(value)]));
    return asFlag !== null && isImplicitSplit(settled) ? explicitSplit(settled, asFlag) : settled;
  };
  return settle(rule);
};

const readsFlagKey = (node: object): boolean => {
  const { var: path } = node as { readonly var?: JsonValue };
  return (Array.isArray(path) ? path[0] : path) === '$flagd.flagKey';
};

type Split = { readonly fractional: readonly JsonValue[] };

const isImplicitSplit = (node: object): node is Split => {
  const { fractional } = node as { readonly fractional?: JsonValue };
  return Array.isArray(fractional) && Array.isArray(fractional[0]);
};

const explicitSplit = ({ fractional }: Split, flagKey: string): JsonValue => {
  const key = { var: 'targetingKey' };
  return { if: [key, { fractional: [{ cat: [flagKey, key] }, ...fractional] }, null] };
};
