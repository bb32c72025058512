import { murmur3 } from '@headgate/evaluation';

/** What every system is asked: a context as its application has it, before any system makes its own form of it. */
export interface Subject {
  readonly targetingKey: string;
  readonly version: string;
  readonly region: string;
}

export const CASES = ['static', 'split', 'rules'] as const;
export type CaseName = (typeof CASES)[number];

/** The three flags, said once for all systems: on for all; on for 10 %; `version >= 1.4.0` and a listed region, then 25 %. */
export const KEYS: Readonly<Record<CaseName, string>> = {
  static: 'kill-switch',
  split: 'soft-launch',
  rules: 'new-path',
};
export const SPLIT_PERCENT = 10;
export const RULES_PERCENT = 25;
export const LEAST_VERSION = '1.4.0';
export const REGIONS: readonly string[] = ['eu-west', 'eu-north', 'us-east'];
const ALL_REGIONS = [...REGIONS, 'us-west', 'ap-south', 'sa-east'];

export const SUBJECTS = 4_096;

/** 4,096 different contexts, read from JSON as an application would; two thirds by version times one half by region. */
export const subjects = (): readonly Subject[] =>
  JSON.parse(
    JSON.stringify(
      Array.from({ length: SUBJECTS }, (_, i) => {
        const draw = (of: string, count: number) => murmur3(`${of}${i}`) % count;
        return {
          targetingKey: `instance-${murmur3(`key${i}`).toString(16).padStart(8, '0')}-${i}`,
          version: `1.${draw('minor', 12)}.${draw('patch', 40)}`,
          region: ALL_REGIONS[draw('region', ALL_REGIONS.length)],
        };
      }),
    ),
  );

/** Shares of subjects that are on, in percent, between which a system has really evaluated the flag. */
export const EXPECTED_ON: Readonly<Record<CaseName, readonly [least: number, most: number]>> = {
  static: [100, 100],
  split: [8.5, 11.5],
  rules: [7, 9.7],
};
