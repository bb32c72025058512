import type { JsonValue } from '@headgate/contracts';
import { anyOf, type Condition } from '../logic.js';
import { addressCondition } from './address-condition.js';
import type { UnleashConstraint } from './unleash-source.js';

/** Unleash's `userId` is what OpenFeature calls the targeting key. */
export const attributeOf = (contextName: string): string =>
  contextName === 'userId' ? 'targetingKey' : contextName;

/** One constraint of Unleash as a flagd condition. Who lacks the attribute does not meet it, but meets its inversion. */
export const conditionOf = (constraint: UnleashConstraint): Condition => {
  const { contextName, operator, inverted, caseInsensitive } = constraint;
  if (contextName.includes('.') && operator.startsWith('DATE_') === false)
    return {
      why: `the attribute "${contextName}" has a dot, which leads into an object here`,
      mend: 'Send the attribute under a name without a dot, and name that in the rule.',
    };
  const made = plainCondition(constraint, { var: attributeOf(contextName) });
  if ('why' in made) return made;
  const when: JsonValue = inverted ? { '!': [made.when] } : made.when;
  if (!caseInsensitive || !operator.startsWith('STR_')) return { ...made, when };
  return {
    when,
    remark: {
      why: `"${contextName}" was compared without regard to case; here case counts`,
      mend: `Send "${contextName}" in the case that the rule has, or add the other spellings to the rule.`,
    },
  };
};

const TEXTS: Readonly<Record<string, (attribute: JsonValue, value: string) => JsonValue>> = {
  STR_STARTS_WITH: (attribute, value) => ({ starts_with: [attribute, value] }),
  STR_ENDS_WITH: (attribute, value) => ({ ends_with: [attribute, value] }),
  STR_CONTAINS: (attribute, value) => ({ in: [value, attribute] }),
};
const NUMBERS: Readonly<Record<string, string>> = {
  NUM_EQ: '==',
  NUM_GT: '>',
  NUM_GTE: '>=',
  NUM_LT: '<',
  NUM_LTE: '<=',
};
const VERSIONS: Readonly<Record<string, string>> = {
  SEMVER_EQ: '=',
  SEMVER_GT: '>',
  SEMVER_GTE: '>=',
  SEMVER_LT: '<',
  SEMVER_LTE: '<=',
};

const plainCondition = (constraint: UnleashConstraint, attribute: JsonValue): Condition => {
  const { contextName, operator, value = '' } = constraint;
  const values = (constraint.values ?? []).map((text) => text.trim()).filter((text) => text !== '');
  const own = <T>(table: Readonly<Record<string, T>>): T | undefined =>
    Object.hasOwn(table, operator) ? table[operator] : undefined;
  if (operator === 'IN') return { when: { in: [attribute, listOf(contextName, values)] } };
  if (operator === 'NOT_IN') return { when: { '!': [{ in: [attribute, listOf(contextName, values)] }] } };
  const text = own(TEXTS);
  if (text) return { when: anyOf(values.map((item) => text(attribute, item))) };
  const number = own(NUMBERS);
  if (number !== undefined) {
    if (value.trim() === '' || !Number.isFinite(Number(value))) return NEVER(`"${value}" is not a number`);
    return { when: { and: [{ '!==': [attribute, null] }, { [number]: [attribute, Number(value)] }] } };
  }
  const version = own(VERSIONS);
  if (version !== undefined) return { when: { sem_ver: [attribute, version, value] } };
  if (operator === 'DATE_AFTER' || operator === 'DATE_BEFORE') return dateCondition(constraint);
  if (operator === 'IN_CIDR') return addressCondition(attribute, values);
  if (operator === 'REGEX')
    return {
      why: 'flagd has no regular expressions',
      mend: 'Say it with starts_with, ends_with or in, or send an attribute that says whether it matches.',
    };
  return NEVER(`the operator "${operator}" is not known`);
};

/** Unleash itself serves nobody then. */
const NEVER = (why: string): Condition => ({
  why,
  mend: 'Mend or remove the constraint in Unleash and export again.',
});

/** Unleash compares texts; a context here may have the number itself. */
const listOf = (contextName: string, values: readonly string[]): JsonValue => {
  if (contextName === 'userId') return [...values];
  const numbers = values.filter((text) => text === String(Number(text))).map(Number);
  return [...values, ...numbers.filter(Number.isFinite)];
};

const dateCondition = ({ contextName, operator, value = '' }: UnleashConstraint): Condition => {
  const ms = Date.parse(value);
  if (!Number.isFinite(ms)) return NEVER(`"${value}" is not a date`);
  if (contextName !== 'currentTime')
    return {
      why: `Unleash compares the current time here, not "${contextName}"`,
      mend: 'Nothing to do unless the attribute was meant: then send it in seconds and compare numbers.',
    };
  const seconds = Math.ceil(ms / 1_000);
  const now: JsonValue = { var: '$flagd.timestamp' };
  return { when: operator === 'DATE_AFTER' ? { '>=': [now, seconds] } : { '<': [now, seconds] } };
};
