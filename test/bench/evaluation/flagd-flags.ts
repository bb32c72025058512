import type { EvaluableFlag } from '@headgate/evaluation';
import { type CaseName, KEYS, LEAST_VERSION, REGIONS, RULES_PERCENT, SPLIT_PERCENT } from './subject.js';

const fractional = (key: string, percent: number): object => ({
  fractional: [
    { cat: [key, { var: 'targetingKey' }] },
    ['on', percent * 10_000],
    ['off', (100 - percent) * 10_000],
  ],
});

const flag = (name: CaseName, changes: Partial<EvaluableFlag>): EvaluableFlag => ({
  key: KEYS[name],
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  ...changes,
});

/** The three flags as flagd documents, which Headgate and flagd-core both read. */
export const FLAGD_FLAGS: Readonly<Record<CaseName, EvaluableFlag>> = {
  static: flag('static', { defaultVariant: 'on' }),
  split: flag('split', { targeting: fractional(KEYS.split, SPLIT_PERCENT) }),
  rules: flag('rules', {
    targeting: {
      if: [
        {
          and: [{ sem_ver: [{ var: 'version' }, '>=', LEAST_VERSION] }, { in: [{ var: 'region' }, REGIONS] }],
        },
        fractional(KEYS.rules, RULES_PERCENT),
        'off',
      ],
    },
  }),
};
