import type { JsonValue } from '@headgate/contracts';
import { isFields } from '../definition-form.js';
import { allOf, type Condition } from '../logic.js';
import { isVersion, parseQuery, type Query, QueryInvalid, type QueryValue } from './parse-query.js';

/** GO Feature Flag calls the targeting key `key`. */
export const attributeOf = (name: string): string => (name === 'key' ? 'targetingKey' : name);

class NotSayable extends Error {
  constructor(
    message: string,
    readonly mend: string,
  ) {
    super(message);
  }
}

/** A rule's query, in its own language or as JsonLogic, as a flagd condition. */
export const queryCondition = (query: string): Condition => {
  const text = query.trim();
  if (text === '') return { when: true };
  if (text.startsWith('{')) return jsonLogic(text);
  try {
    const tree = parseQuery(text);
    const when = conditionOf(tree);
    return ignoresCase(tree)
      ? {
          when,
          remark: {
            why: `texts were compared without regard to case in ${JSON.stringify(text)}; here case counts`,
            mend: 'Send the attribute in the case that the rule has, or add the other spellings to the rule.',
          },
        }
      : { when };
  } catch (cause) {
    if (cause instanceof QueryInvalid)
      return {
        why: `the query ${JSON.stringify(text)} cannot be read: ${cause.message} (character ${cause.at + 1})`,
        mend: 'Mend the query.',
      };
    if (cause instanceof NotSayable) return { why: cause.message, mend: cause.mend };
    throw cause;
  }
};

const conditionOf = (query: Query): JsonValue => {
  switch (query.kind) {
    case 'logical':
      return { [query.operator]: [conditionOf(query.left), conditionOf(query.right)] };
    case 'not':
      return { '!': [conditionOf(query.query)] };
    case 'present':
      return { '!==': [{ var: attributeOf(query.attribute) }, null] };
    case 'compare':
      return comparison(query);
  }
};

type Comparison = Extract<Query, { kind: 'compare' }>;

/** Who lacks the attribute meets no comparison, not even "ne". */
const comparison = ({ attribute, operator, value }: Comparison): JsonValue => {
  const own: JsonValue = { var: attributeOf(attribute) };
  const known: JsonValue = { '!==': [own, null] };
  const notSayable = (): never => {
    throw new NotSayable(
      `"${attribute} ${operator}" cannot be asked of ${nameOf(value)} in flagd's operators`,
      'Write the rule by hand, or send an attribute that says whether it holds.',
    );
  };
  switch (value.type) {
    case 'list':
      return operator === 'in' ? { in: [own, [...value.value]] } : notSayable();
    case 'boolean':
      if (operator === 'eq') return { '===': [own, value.value] };
      return operator === 'ne' ? allOf([known, { '!==': [own, value.value] }]) : notSayable();
    case 'text':
      if (operator === 'eq') return { '===': [own, value.value] };
      if (operator === 'ne') return allOf([known, { '!==': [own, value.value] }]);
      if (operator === 'co') return { in: [value.value, own] };
      if (operator === 'sw') return { starts_with: [own, value.value] };
      if (operator === 'ew') return { ends_with: [own, value.value] };
      // Newer versions order texts that are versions as versions.
      return isVersion(value.value) && operator !== 'in'
        ? { sem_ver: [own, VERSION_SIGNS[operator] ?? '', value.value] }
        : notSayable();
    case 'number': {
      const sign = NUMBER_SIGNS[operator];
      return sign === undefined ? notSayable() : allOf([known, { [sign]: [own, value.value] }]);
    }
    case 'version': {
      const sign = VERSION_SIGNS[operator];
      return sign === undefined ? notSayable() : { sem_ver: [own, sign, value.value] };
    }
    case 'null':
      return notSayable();
  }
};

const NUMBER_SIGNS: Readonly<Partial<Record<string, string>>> = {
  eq: '==',
  ne: '!=',
  gt: '>',
  lt: '<',
  ge: '>=',
  le: '<=',
};
const VERSION_SIGNS: Readonly<Partial<Record<string, string>>> = { ...NUMBER_SIGNS, eq: '=' };

const nameOf = (value: QueryValue): string => (value.type === 'null' ? 'null' : `a ${value.type}`);

/** Membership in a list is exact; everything else about texts is not. Digits and signs have no case. */
const ignoresCase = (query: Query): boolean => {
  if (query.kind === 'logical') return ignoresCase(query.left) || ignoresCase(query.right);
  if (query.kind === 'not') return ignoresCase(query.query);
  if (query.kind !== 'compare' || query.value.type !== 'text') return false;
  const { value } = query.value;
  return value.toLowerCase() !== value.toUpperCase();
};

const jsonLogic = (text: string): Condition => {
  try {
    return { when: withTargetingKey(JSON.parse(text) as JsonValue) };
  } catch {
    return { why: `the query is no JSON: ${text.slice(0, 100)}`, mend: 'Mend the query.' };
  }
};

const withTargetingKey = (node: JsonValue): JsonValue => {
  if (Array.isArray(node)) return node.map(withTargetingKey);
  if (!isFields(node)) return node;
  if (node.var === 'key') return { var: 'targetingKey' };
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, withTargetingKey(value)]));
};
