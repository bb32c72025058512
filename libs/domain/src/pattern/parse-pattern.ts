import { ANY, type CharacterSet, CLASSES, complement, one, union } from './character-set.js';

/** A regular expression as its backtracking sees it; anchors and word boundaries are `empty`. */
export type Pattern =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly body: Pattern; readonly min: number; readonly max: number };

/** The pattern uses something that cannot be matched in linear time, or that we do not read. */
export class PatternRefused extends Error {
  override readonly name = 'PatternRefused';
}

const EMPTY: Pattern = { kind: 'empty' };
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };

/** Reads an ECMAScript pattern without flags, which `new RegExp` has accepted. */
export const parsePattern = (text: string): Pattern => {
  let at = 0;
  const rest = (): string => text.slice(at);
  const take = (expected: string): boolean => {
    if (!text.startsWith(expected, at)) return false;
    at += expected.length;
    return true;
  };

  const choice = (): Pattern => {
    const parts = [sequence()];
    while (take('|')) parts.push(sequence());
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'choice', parts };
  };

  const sequence = (): Pattern => {
    const parts: Pattern[] = [];
    while (at < text.length && text[at] !== '|' && text[at] !== ')') parts.push(repeated(atom()));
    return { kind: 'sequence', parts };
  };

  const repeated = (body: Pattern): Pattern => {
    const [written, min, comma, max] = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(rest()) ?? [];
    if (written === undefined) return body;
    at += written.length;
    if (written.startsWith('*')) return { kind: 'repeat', body, min: 0, max: Infinity };
    if (written.startsWith('+')) return { kind: 'repeat', body, min: 1, max: Infinity };
    if (written.startsWith('?')) return { kind: 'repeat', body, min: 0, max: 1 };
    const most = comma === '' ? Number(min) : max === '' ? Infinity : Number(max);
    return { kind: 'repeat', body, min: Number(min), max: most };
  };

  const atom = (): Pattern => {
    if (take('(')) return group();
    if (take('[')) return { kind: 'set', set: characterClass() };
    if (take('^') || take('$') || take('\\b') || take('\\B')) return EMPTY;
    if (take('.')) return { kind: 'set', set: ANY };
    if (take('\\')) return { kind: 'set', set: escaped(false) };
    return { kind: 'set', set: one(text.charCodeAt(at++)) };
  };

  const group = (): Pattern => {
    if (/^\?<?[=!]/.test(rest()))
      throw new PatternRefused(
        `looks around at character ${at}; say what the value is, without (?=, (?!, (?<= and (?<!`,
      );
    const [opening = ''] = /^\?(?::|<[^>]*>)/.exec(rest()) ?? [];
    at += opening.length;
    const body = choice();
    take(')');
    return body;
  };

  const characterClass = (): CharacterSet => {
    const isNegated = take('^');
    const sets: CharacterSet[] = [];
    while (!take(']')) {
      const from = classMember();
      const isRange = text[at] === '-' && text[at + 1] !== ']' && from.unit !== null;
      if (!isRange) {
        sets.push(from.set);
        continue;
      }
      at += 1;
      const to = classMember();
      if (from.unit !== null && to.unit !== null) sets.push([[from.unit, to.unit]]);
      else sets.push(from.set, one(0x2d), to.set);
    }
    return isNegated ? complement(union(...sets)) : union(...sets);
  };

  const classMember = (): { readonly set: CharacterSet; readonly unit: number | null } => {
    const set = take('\\') ? escaped(true) : one(text.charCodeAt(at++));
    const [only] = set;
    return { set, unit: set.length === 1 && only && only[0] === only[1] ? only[0] : null };
  };

  const escaped = (isInClass: boolean): CharacterSet => {
    const letter = text[at] ?? '';
    if (!isInClass && (/[1-9]/.test(letter) || (letter === 'k' && /^k</.test(rest()))))
      throw new PatternRefused(`refers back at character ${at}; write the part out instead of \\${letter}`);
    const [code, hex2, hex4] = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/.exec(rest()) ?? [];
    if (code !== undefined) {
      at += code.length;
      return one(Number.parseInt(hex2 ?? hex4 ?? '', 16));
    }
    at += 1;
    if (letter === 'c' && /[A-Za-z]/.test(text[at] ?? '')) return one(text.charCodeAt(at++) % 32);
    if (isInClass && letter === 'b') return one(8);
    return CLASSES[letter] ?? one(CONTROLS[letter] ?? letter.charCodeAt(0));
  };

  return choice();
};
