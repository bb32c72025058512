import { murmur3After } from '@headgate/evaluation';
import {
  type CaseName,
  KEYS,
  LEAST_VERSION,
  REGIONS,
  RULES_PERCENT,
  SPLIT_PERCENT,
  type Subject,
} from './subject.js';
import { askEach, type System } from './system.js';

/** 0x100000000 times a share: a hash below it is in. */
const limitOf = (percent: number): number => Math.ceil((percent / 100) * 4_294_967_296);

/** Three plain numbers as one; what is no such text is below every version. */
const versionNumber = (text: string): number => {
  let number = 0;
  let part = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      number = number * 10_000 + part;
      part = 0;
    } else if (code >= 0x30 && code <= 0x39) part = part * 10 + (code - 0x30);
    else return -1;
  }
  return number * 10_000 + part;
};

/**
 * What somebody would write by hand for these three flags and nothing else: no rules, no types, no reasons, no errors. It reads the
 * same context and the same version text, and hashes with the same function.
 */
export const floor = (): System<Subject> => {
  const splitHash = murmur3After(KEYS.split);
  const rulesHash = murmur3After(KEYS.rules);
  const splitLimit = limitOf(SPLIT_PERCENT);
  const rulesLimit = limitOf(RULES_PERCENT);
  const least = versionNumber(LEAST_VERSION);
  const regions = new Set(REGIONS);
  const byCase: Readonly<Record<CaseName, (subject: Subject) => boolean>> = {
    static: () => true,
    split: ({ targetingKey }) => splitHash(targetingKey) >>> 0 < splitLimit,
    rules: ({ targetingKey, version, region }) =>
      versionNumber(version) >= least && regions.has(region) && rulesHash(targetingKey) >>> 0 < rulesLimit,
  };
  const flags = new Map(Object.entries(byCase).map(([name, of]) => [KEYS[name as CaseName], of]));
  return {
    system: 'floor',
    version: '-',
    contextOf: (subject) => subject,
    ask: askEach((key) => ({ sync: (subject) => flags.get(key)!(subject) })),
  };
};
