import { RuleFailed } from './term.js';

/** JsonLogic's truth: an empty list and an empty object are false. */
export const isTruthy = (value: unknown): boolean => {
  if (value === true) return true;
  if (!value) return false;
  if (typeof value !== 'object') return true;
  if (Array.isArray(value)) return value.length > 0;
  // by name, because the object may come from another realm; a date is no object that could be empty
  if (value.constructor?.name === 'Object') return Object.keys(value).length > 0;
  return true;
};

/** A number for arithmetic and comparison. Throws where JavaScript would go on with NaN. */
export const numberOf = (value: unknown): number => {
  if (typeof value === 'number' && !Number.isNaN(value)) return value;
  if (value !== null && typeof value === 'object') throw new RuleFailed('expected a number, got an object');
  const number = Number(value);
  if (Number.isNaN(number)) throw new RuleFailed(`expected a number, got ${typeof value}`);
  return number;
};

/** What an iterator goes over: nothing at all is an empty list, anything else but a list fails. */
export const listOf = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  if (!value) return [];
  throw new RuleFailed(`expected a list, got ${typeof value}`);
};
