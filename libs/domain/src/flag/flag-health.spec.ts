import { type FlagUsage, flagHealth, type HealthSubject } from './flag-health.js';

const DAY = 86_400_000;
const NOW = 1_790_000_000_000;
const days = (n: number): number => NOW - n * DAY;
const flag = (over: Partial<HealthSubject> = {}): HealthSubject => ({
  status: 'active',
  definition: {},
  createdAt: days(5),
  changedAt: days(5),
  rolloutId: null,
  ...over,
});
const usage = (lastEvaluatedAt: number | null, ...variants: FlagUsage['variants'][number][]): FlagUsage => ({
  lastEvaluatedAt,
  knownSince: days(100),
  variants,
});
const served = (variant: string | null, lastServedAt: number) => ({ variant, lastServedAt, count: 10 });
const old = { createdAt: days(90), changedAt: days(90) };

describe('the health of a flag', () => {
  it.each<[string, HealthSubject, FlagUsage | null, string]>([
    ['a young flag', flag(), null, 'active'],
    ['a flag without a type, however old', flag(old), null, 'active'],
    ['a release of 39 days', flag({ definition: { type: 'release' }, createdAt: days(39) }), null, 'active'],
    [
      'a release of 40 days',
      flag({ definition: { type: 'release' }, createdAt: days(40) }),
      null,
      'potentially-stale',
    ],
    [
      'an experiment of 40 days',
      flag({ definition: { type: 'experiment' }, createdAt: days(40) }),
      null,
      'potentially-stale',
    ],
    [
      'an operational flag of 7 days',
      flag({ definition: { type: 'operational' }, createdAt: days(7) }),
      null,
      'potentially-stale',
    ],
    ['an old kill switch', flag({ ...old, definition: { type: 'kill-switch' } }), usage(null), 'active'],
    [
      'an old permission',
      flag({ ...old, definition: { type: 'permission' } }),
      usage(days(60), served('on', days(60))),
      'active',
    ],
    ['a flag past its expiry', flag({ definition: { expires: days(1) } }), null, 'stale'],
    [
      'a kill switch past its expiry',
      flag({ definition: { type: 'kill-switch', expires: days(1) } }),
      null,
      'stale',
    ],
    ['a flag before its expiry', flag({ definition: { expires: NOW + 1 } }), null, 'active'],
    ['a flag nobody has asked for in 30 days', flag(old), usage(days(30)), 'stale'],
    ['a flag nobody has ever asked for', flag(old), usage(null), 'stale'],
    ['a new flag nobody has asked for yet', flag(), usage(null), 'active'],
    [
      'a flag that gives one variant',
      flag(old),
      usage(days(0), served('on', days(0)), served('off', days(20))),
      'potentially-stale',
    ],
    [
      'a flag that gives two',
      flag(old),
      usage(days(0), served('on', days(0)), served('off', days(3))),
      'active',
    ],
    [
      'a flag that gives one variant since it was changed lately',
      flag({ ...old, changedAt: days(3) }),
      usage(days(0), served('on', days(0))),
      'active',
    ],
    [
      'a flag that gives one variant in a rollout',
      flag({ ...old, rolloutId: 'r' }),
      usage(days(0), served('off', days(0))),
      'active',
    ],
    ['a killed flag', flag({ ...old, status: 'killed' }), usage(days(0), served(null, days(0))), 'active'],
    [
      'an archived flag',
      flag({ ...old, status: 'archived', definition: { expires: days(1) } }),
      usage(null),
      'archived',
    ],
  ])('%s', (_, subject, known, stage) => expect(flagHealth(subject, known, NOW).stage).toBe(stage));

  it('comes with its reasons', () => {
    const subject = flag({ ...old, definition: { type: 'release', expires: days(2) } });
    expect(flagHealth(subject, usage(days(40), served('on', days(40))), NOW)).toEqual({
      stage: 'stale',
      isExpired: true,
      reasons: [
        'was to be gone by 2026-09-19',
        'nobody has evaluated it since 2026-08-12',
        'is 90 days old; flags of type release live 40 days as a rule',
      ],
    });
  });
});
