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

/** Fills a context in. */
export type Completion = (context: EvaluationContext) => EvaluationContext;

type Reader = (context: EvaluationContext) => unknown;

/** Names that every context of ours may have: read by their own, a compiler knows where they lie. */
const READERS: Readonly<Record<string, Reader>> = {
  targetingKey: (context) => context.targetingKey,
  version: (context) => context.version,
  channel: (context) => context.channel,
  os: (context) => context.os,
  arch: (context) => context.arch,
};

const readerOf = (name: string): Reader => READERS[name] ?? ((context) => context[name]);

/** Whether a plain object has a value for each of `names`; a getter of its class would not be its own. */
const hasAll = (names: readonly string[]): ((context: EvaluationContext) => boolean) => {
  const [first, second, third, ...rest] = names.map(readerOf);
  if (first === undefined) return () => true;
  if (second === undefined) return (context) => first(context) !== undefined;
  if (third === undefined) return (context) => first(context) !== undefined && second(context) !== undefined;
  if (rest.length === 0)
    return (context) =>
      first(context) !== undefined && second(context) !== undefined && third(context) !== undefined;
  const all = [first, second, third, ...rest];
  return (context) => all.every((read) => read(context) !== undefined);
};

/**
 * The caller's context with those of `names` that it lacks; itself when it lacks none, which is the usual case and costs next
 * to nothing. Throws what the context's own code throws.
 */
export const completionOf = (base: EvaluationContext, names: readonly string[]): Completion => {
  const isComplete = hasAll(names);
  return (context) =>
    Object.getPrototypeOf(context) === Object.prototype && isComplete(context)
      ? context
      : fillIn(context, base, names);
};

const fillIn = (
  context: EvaluationContext,
  base: EvaluationContext,
  names: readonly string[],
): EvaluationContext => {
  let filled: Record<string, unknown> | null = null;
  for (const name of names) {
    // A key that is there and undefined is no key: who forgot it must not fall out of every split.
    const isThere = Object.hasOwn(context, name) && (name !== 'targetingKey' || context[name] !== undefined);
    if (isThere) continue;
    filled ??= { ...context };
    filled[name] = base[name];
  }
  return filled ?? context;
};
