import type { EvaluationContext } from '@headgate/evaluation';

/**
 * Which of `names` a rule may read: those that stand in it as (the first part of) a text, and all of them where it computes
 * a name. Rather too many than too few.
 */
export const attributesRead = (rule: unknown, names: readonly string[]): readonly string[] => {
  const found = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node === 'string') {
      if (node === '' || node.includes('\\')) takeAll();
      else found.add(node.split('.', 1)[0]!);
    } else if (Array.isArray(node)) node.forEach(visit);
    else if (node !== null && typeof node === 'object')
      for (const entry of Object.entries(node)) operator(entry);
  };
  const takeAll = (): void => {
    for (const name of names) found.add(name);
  };
  const operator = ([name, value]: [string, unknown]): void => {
    // A bucket without a text of its own is that of the targeting key.
    if (name === 'fractional') found.add('targetingKey');
    if (['var', 'missing', 'missing_some'].includes(name) && !namesPlainly(value)) takeAll();
    visit(value);
  };
  visit(rule);
  return names.filter((name) => found.has(name));
};

/** Texts and numbers only, at least one; lists of them are what `missing_some` takes. */
const namesPlainly = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.length > 0 && value.every(namesPlainly);
  return typeof value === 'string' || typeof value === 'number';
};

/**
 * The caller's context with those of `names` that it lacks; itself when it lacks none, which is the usual case and costs
 * nothing. Throws what the context's own code throws.
 */
export const withBase = (
  context: EvaluationContext,
  base: EvaluationContext,
  names: readonly string[],
): EvaluationContext => {
  let filled: Record<string, unknown> | null = null;
  // What a plain object gives for a name of ours is its own; asking for ownership costs as much as a rule.
  const isPlain = Object.getPrototypeOf(context) === Object.prototype;
  for (const name of names) {
    if (isPlain && context[name] !== undefined) continue;
    // A key that is there and undefined is no key: who forgot it must not fall out of every split.
    const isThere = Object.hasOwn(context, name) && (name !== 'targetingKey' || context[name] !== undefined);
    if (isThere) continue;
    filled ??= { ...context };
    filled[name] = base[name];
  }
  return filled ?? context;
};
