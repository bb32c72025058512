import type { FlagDefinition, FlagDocument } from '@headgate/contracts';
import { compileDocument, type Flag, type Surroundings } from '@headgate/domain';

const WHY = 'recorded for history';
const id = (n: number): string => `01890000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const HALF = {
  split: [
    { variant: 'on', weightPpm: 500_000 },
    { variant: 'off', weightPpm: 500_000 },
  ],
};

const flag = (key: string, definition: Partial<FlagDefinition>, split: Flag['split'] = null): Flag => ({
  id: id(11),
  channel: 'stable',
  key,
  status: 'active',
  definition: {
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    overridable: 'none',
    ...definition,
  },
  split,
  why: WHY,
  createdAt: 1_790_000_000_000,
  changedAt: 1_790_000_000_000,
  epoch: 1,
  position: 12,
});

const rollout = { rolloutId: id(12), seed: 'seed-1', variant: 'on', weightPpm: 50_000, reportEveryMs: 6_000 };
const linux = { '==': [{ var: 'os' }, 'linux'] };
const gate = flag('gate', {
  targeting: {
    fractional: [
      ['on', 1],
      ['off', 3],
    ],
  },
});

/** Definitions as people write them; what they compile to must never change, or every reader’s digests would. */
export const GOLDEN_FLAGS: readonly Flag[] = [
  flag('plain', { expires: 1_900_000_000_000, owner: 'team-checkout' }),
  flag('raw', { targeting: { if: [linux, 'on', null] } }),
  flag('rolled-out', { targeting: { if: [linux, 'on', null] } }, rollout),
  flag('everything', {
    rules: [
      { name: 'ours', when: { and: [{ $ref: 'insiders' }, linux] }, serve: { variant: 'on' } },
      { when: { var: 'beta' }, serve: { ...HALF, seed: 'shared', bucketBy: 'account' } },
    ],
    schedule: [
      { at: 1_790_000_000_000, serve: HALF },
      { at: 1_791_000_000_500, serve: { variant: 'on' } },
    ],
    fallthrough: {
      ramp: {
        variant: 'on',
        rest: 'off',
        from: { at: 1_790_000_000_000, weightPpm: 10_000 },
        to: { at: 1_790_086_400_000, weightPpm: 1_000_000 },
      },
    },
    prerequisites: [{ flag: 'gate', variants: ['on'] }],
    seed: 'own',
    bounds: { variants: ['off'], maxWeightPpm: 500_000 },
    type: 'release',
    description: 'every field there is',
    tags: ['checkout', 'ui'],
    metadata: { ticket: 'HG-7', rank: 3, isPublic: true },
  }),
];

const AROUND: Surroundings = {
  flag: (key) => (key === 'gate' ? gate : undefined),
  segment: (name) => (name === 'insiders' ? { ends_with: [{ var: 'email' }, '@example.com'] } : undefined),
  attributes: null,
};

export const goldenDocuments = (): readonly (FlagDocument | null)[] =>
  GOLDEN_FLAGS.map((one) => compileDocument('shop', one, AROUND));
