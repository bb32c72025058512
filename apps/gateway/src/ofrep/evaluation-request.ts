import type { EvaluationContext } from '@headgate/evaluation';
import { OfrepRefused } from './ofrep-refused.js';

/**
 * The evaluation context of a request. Without one, or without a targeting key, is not an error, although OFREP's schema asks for
 * both: its own clients send neither when the application sets none, and what needs the key falls through without it.
 */
export const readContext = (body: unknown): EvaluationContext => {
  if (!isObject(body)) throw new OfrepRefused(400, 'PARSE_ERROR', 'The body must be {"context": {…}}.');
  const { context } = body;
  if (context === undefined || context === null) return {};
  if (!isObject(context)) throw new OfrepRefused(400, 'INVALID_CONTEXT', 'The context must be an object.');
  const { targetingKey } = context;
  if (targetingKey !== undefined && targetingKey !== null && typeof targetingKey !== 'string')
    throw new OfrepRefused(400, 'INVALID_CONTEXT', 'The targetingKey must be a text.');
  return context as EvaluationContext;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
