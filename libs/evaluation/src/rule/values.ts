import { RuleFailed } from './term.js';

/** JsonLogic's truth: an empty list and an empty object are false. */
export const isTruthy = (value: unknown): boolean => {
  if (!value) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value !== 'object') return true;
  for (const _ in value) return true;
  return false;
};

/** A number for arithmetic and comparison. Throws where JavaScript would go on with NaN. */
export const numberOf = (value: unknown): number => {
  if (typeof value === 'number' && !Number.isNaN(value)) return value;
  if (value !== null && typeof value === 'object') throw new RuleFailed('expected a number, got an object');
  const number = Number(value);
  if (Number.isNaN(number)) throw new RuleFailed(`expected a number, got ${typeof value}`);
  return number;
};

export const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(textOf).join(',');
  return typeof value === 'object' ? '[object Object]' : String(value);
};

export const listOf = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  if (!isTruthy(value)) return [];
  throw new RuleFailed(`expected a list, got ${typeof value}`);
};
