import { type Report, shown } from './problem.js';

const TRUE_OR_FALSE = new Set([
  ...['==', '!=', '===', '!==', '<', '<=', '>', '>=', '!', '!!', 'in', 'all', 'some', 'none'],
  ...['starts_with', 'ends_with', 'sem_ver'],
]);
const LISTS = new Set(['missing', 'missing_some', 'map', 'filter', 'merge']);

/** Whether a value written as a result names a variant; null means the default variant. */
export const checkResult = (
  value: unknown,
  path: string,
  variants: ReadonlySet<string> | null,
  report: Report,
): void => {
  if (value === null || !variants || variants.has(String(value))) return;
  const known = [...variants].slice(0, 10).map(shown).join(', ');
  report(path, 'no-such-variant', `result ${shown(value)} names no variant: the flag has ${known}`);
};

/** What can be said of an operator's result without knowing the context. */
export const checkKind = (
  name: string,
  path: string,
  variants: ReadonlySet<string> | null,
  report: Report,
): void => {
  if (!variants) return;
  if (LISTS.has(name)) report(path, 'no-such-variant', `${name} gives a list, which names no variant`);
  if (!TRUE_OR_FALSE.has(name)) return;
  const absent = ['true', 'false'].filter((variant) => !variants.has(variant)).map(shown);
  if (absent.length === 0) return;
  const mend = `write {"if": [{"${name}": …}, "one variant", "another"]}`;
  report(
    path,
    'no-such-variant',
    `${name} gives true or false; the flag has no ${absent.join(' or ')}: ${mend}`,
  );
};
