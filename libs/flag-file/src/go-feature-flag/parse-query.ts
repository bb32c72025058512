/** GO Feature Flag's query language: `os eq "debian" and not (beta pr)`. */
export type Query =
  | { readonly kind: 'logical'; readonly operator: 'and' | 'or'; readonly left: Query; readonly right: Query }
  | { readonly kind: 'not'; readonly query: Query }
  | { readonly kind: 'present'; readonly attribute: string }
  | {
      readonly kind: 'compare';
      readonly attribute: string;
      readonly operator: QueryOperator;
      readonly value: QueryValue;
    };

export type QueryOperator = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'co' | 'sw' | 'ew' | 'in';

export type QueryValue =
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'null' }
  | { readonly type: 'version'; readonly value: string }
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'list'; readonly value: readonly (string | number)[] };

/** What cannot be read, and after how many characters. */
export class QueryInvalid extends Error {
  override readonly name = 'QueryInvalid';
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

interface Token {
  readonly text: string;
  readonly at: number;
}

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"|[()[\],]|==|!=|>=|<=|>|<|[^\s"()[\],=!<>]+/gy;
const OPERATORS: Readonly<Record<string, QueryOperator>> = {
  eq: 'eq',
  '==': 'eq',
  ne: 'ne',
  '!=': 'ne',
  gt: 'gt',
  '>': 'gt',
  lt: 'lt',
  '<': 'lt',
  ge: 'ge',
  '>=': 'ge',
  le: 'le',
  '<=': 'le',
  co: 'co',
  sw: 'sw',
  ew: 'ew',
  in: 'in',
};
const ATTRIBUTE = /^[A-Za-z][A-Za-z0-9:_-]*(?:\.[A-Za-z][A-Za-z0-9:_-]*)*$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+-]?\d+)?$/;
const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const MAX_DEPTH = 100;

export const isVersion = (text: string): boolean => VERSION.test(text);

/**
 * Reads a query or throws QueryInvalid. `and` and `or` bind alike and from the left, as in the original's grammar: `a or b
 * and c` means `(a or b) and c`.
 */
export const parseQuery = (text: string): Query => {
  const tokens = tokensOf(text);
  let next = 0;
  const peek = (): Token | undefined => tokens[next];
  const take = (what: string): Token => {
    const token = tokens[next];
    if (!token) throw new QueryInvalid(`ends where ${what} should stand`, text.length);
    next += 1;
    return token;
  };
  const expect = (wanted: string): void => {
    const token = take(`"${wanted}"`);
    if (token.text !== wanted)
      throw new QueryInvalid(`"${token.text}" where "${wanted}" should stand`, token.at);
  };

  const chain = (depth: number): Query => {
    if (depth > MAX_DEPTH) throw new QueryInvalid(`nested deeper than ${MAX_DEPTH}`, peek()?.at ?? 0);
    let left = single(depth);
    for (let token = peek(); token && /^(?:and|or)$/i.test(token.text); token = peek()) {
      next += 1;
      const operator = token.text.toLowerCase() as 'and' | 'or';
      left = { kind: 'logical', operator, left, right: single(depth) };
    }
    return left;
  };
  const single = (depth: number): Query => {
    const token = take('a condition');
    if (token.text === '(') return within(depth);
    if (/^not$/i.test(token.text) && peek()?.text === '(') {
      next += 1;
      return { kind: 'not', query: within(depth) };
    }
    if (!ATTRIBUTE.test(token.text)) throw new QueryInvalid(`"${token.text}" is no attribute`, token.at);
    const verb = take('an operator');
    if (/^pr$/i.test(verb.text)) return { kind: 'present', attribute: token.text };
    const name = verb.text.toLowerCase();
    const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
    if (!operator) throw new QueryInvalid(`"${verb.text}" is no operator`, verb.at);
    return { kind: 'compare', attribute: token.text, operator, value: readValue() };
  };
  const within = (depth: number): Query => {
    const query = chain(depth + 1);
    expect(')');
    return query;
  };
  const readValue = (): QueryValue => {
    const token = take('a value');
    if (token.text === '[') return listOf();
    return scalarOf(token);
  };
  const listOf = (): QueryValue => {
    const items: (string | number)[] = [];
    for (;;) {
      const item = scalarOf(take('an item'));
      if (item.type !== 'text' && item.type !== 'number')
        throw new QueryInvalid('a list holds texts or numbers', tokens[next - 1]?.at ?? 0);
      items.push(item.value);
      const after = take('"]"');
      if (after.text === ']') return { type: 'list', value: items };
      if (after.text !== ',') throw new QueryInvalid(`"${after.text}" where "," should stand`, after.at);
    }
  };

  const query = chain(0);
  const rest = peek();
  if (rest) throw new QueryInvalid(`"${rest.text}" is too much`, rest.at);
  return query;
};

const tokensOf = (text: string): readonly Token[] => {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    const found = TOKEN.exec(text);
    if (!found) throw new QueryInvalid(`${JSON.stringify(text[at])} cannot stand here`, at);
    if (found[0].trim() !== '') tokens.push({ text: found[0], at });
    at = TOKEN.lastIndex;
  }
  return tokens;
};

const scalarOf = ({ text, at }: Token): Exclude<QueryValue, { type: 'list' }> => {
  if (text.startsWith('"')) return { type: 'text', value: unquoted(text) };
  if (text === 'true' || text === 'false') return { type: 'boolean', value: text === 'true' };
  if (text === 'null') return { type: 'null' };
  if (NUMBER.test(text) && Number.isFinite(Number(text))) return { type: 'number', value: Number(text) };
  if (VERSION.test(text)) return { type: 'version', value: text };
  throw new QueryInvalid(`"${text}" is no value; texts stand in double quotes`, at);
};

/** The original takes what stands between the quotes as it is; JSON's escapes are what people mean by them. */
const unquoted = (text: string): string => {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
};
