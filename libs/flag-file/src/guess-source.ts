import { isFields } from './definition-form.js';
import { FLAG_FILE_SCHEMA, type Problem } from './flag-file.js';
import { readTree, type TextForm } from './text-tree.js';

export const SOURCES = ['headgate', 'flagd', 'unleash', 'go-feature-flag'] as const;
/** Whose file it is. */
export type Source = (typeof SOURCES)[number];

/** By what stands at the top of a text; undefined when it could be anybody's. */
export const guessSource = (text: string, form?: TextForm): Source | undefined => {
  const read = readTree(text, form);
  const top = 'tree' in read ? read.tree.value : undefined;
  if (!isFields(top)) return undefined;
  if (top.schema === FLAG_FILE_SCHEMA) return 'headgate';
  if (Array.isArray(top.features)) return 'unleash';
  if (isFields(top.flags) || Array.isArray(top.flags)) return 'flagd';
  const isGoff = Object.values(top).some((flag) => isFields(flag) && isFields(flag.variations));
  return isGoff ? 'go-feature-flag' : undefined;
};

/** Why a text cannot be read at all, whoever made it; empty when it can. */
export const syntaxProblems = (text: string, form?: TextForm): readonly Problem[] => {
  const read = readTree(text, form);
  return 'problems' in read ? read.problems : [];
};
