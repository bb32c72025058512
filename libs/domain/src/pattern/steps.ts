import type { CharacterSet } from './character-set.js';
import { type Pattern, PatternRefused } from './parse-pattern.js';

/** Characters of a pattern as places, and which place may be matched after which (Glushkov’s automaton). */
export interface Steps {
  readonly sets: readonly CharacterSet[];
  readonly first: readonly number[];
  readonly after: readonly ReadonlySet<number>[];
}

interface Part {
  readonly first: readonly number[];
  readonly last: readonly number[];
  readonly isNullable: boolean;
}

const MAX_PLACES = 500;
/** `{n}` of so many places is written out; a longer one is taken for a loop, which is never less strict. */
const MAX_WRITTEN_OUT = 64;

export const stepsOf = (pattern: Pattern): Steps => {
  const sets: CharacterSet[] = [];
  const after: Set<number>[] = [];
  /** False when one of the steps was there already: the same text could then be matched in two ways. */
  const link = (from: readonly number[], to: readonly number[]): boolean => {
    let isNew = true;
    for (const a of from)
      for (const b of to) {
        if (after[a]?.has(b)) isNew = false;
        after[a]?.add(b);
      }
    return isNew;
  };

  const build = (node: Pattern): Part => {
    switch (node.kind) {
      case 'empty':
        return { first: [], last: [], isNullable: true };
      case 'set': {
        const place = sets.push(node.set) - 1;
        after.push(new Set());
        if (sets.length > MAX_PLACES)
          throw new PatternRefused(`has more than ${MAX_PLACES} characters to match`);
        return { first: [place], last: [place], isNullable: false };
      }
      case 'choice': {
        const parts = node.parts.map(build);
        return {
          first: parts.flatMap(({ first }) => first),
          last: parts.flatMap(({ last }) => last),
          isNullable: parts.some(({ isNullable }) => isNullable),
        };
      }
      case 'sequence':
        return node.parts.map(build).reduce(join, { first: [], last: [], isNullable: true });
      case 'repeat':
        return repeat(node);
    }
  };

  const join = (before: Part, next: Part): Part => {
    link(before.last, next.first);
    return {
      first: before.isNullable ? [...before.first, ...next.first] : before.first,
      last: next.isNullable ? [...before.last, ...next.last] : next.last,
      isNullable: before.isNullable && next.isNullable,
    };
  };

  const repeat = ({ body, min, max }: Extract<Pattern, { kind: 'repeat' }>): Part => {
    const start = sets.length;
    let part = build(body);
    if (max === 0) return { first: [], last: [], isNullable: true };
    if (max > 1 && part.isNullable)
      throw new PatternRefused(
        'repeats something that may be empty; make the repeated part match at least one character',
      );
    if (max === 1) return { ...part, isNullable: min === 0 || part.isNullable };
    if (min === max && (sets.length - start) * max <= MAX_WRITTEN_OUT) {
      for (let copy = 1; copy < max; copy++) part = join(part, build(body));
      return part;
    }
    if (!link(part.last, part.first))
      throw new PatternRefused('repeats a repetition, which can take for ever; take one of the two off');
    return { ...part, isNullable: min === 0 };
  };

  const { first } = build(pattern);
  return { sets, first, after };
};
