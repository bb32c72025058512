/** Operators that json-logic-engine never works out ahead. */
const NEVER = new Set([
  'missing',
  'missing_some',
  'starts_with',
  'ends_with',
  'sem_ver',
  'fractional',
  '$ref',
]);
const ITERATORS = new Set(['map', 'filter', 'all', 'some', 'none', 'reduce']);

/** Whether a rule gives the same for every context. What an iterator's body reads of its element is constant with the list. */
export const isConstant = (node: unknown, isInner = false): boolean => {
  if (node === null || typeof node !== 'object') return true;
  if (Array.isArray(node)) return node.every((item) => isConstant(item, isInner));
  const [name = '', ...more] = Object.keys(node);
  if (name === '' || more.length > 0) return false;
  const args = (node as Record<string, unknown>)[name];
  if (NEVER.has(name)) return name === 'missing' && Array.isArray(args) && args.length === 0;
  if (name === 'var') return isInner && isConstant(args, isInner);
  if (!ITERATORS.has(name) || !Array.isArray(args)) return isConstant(args, isInner);
  const [list, body, ...rest] = args;
  return isConstant(list, isInner) && isConstant(body, true) && isConstant(rest, isInner);
};
