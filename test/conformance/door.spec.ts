import { checkRule, compileFlag } from '@headgate/evaluation';
import { checkFlagdFlag } from '@headgate/gateway';
import fc from 'fast-check';
import { fuzzRun } from '../support/fuzz-run.js';
import { rule } from './differential/generate-rule.js';

const ON = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' } as const;

describe('a rule that the door takes', () => {
  const wild = fc.oneof(
    { weight: 2, arbitrary: rule(2) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.constantFrom('if', 'sem_ver', 'fractional', 'var', '<', 'in', 'shout'),
          fc.array(rule(1), { maxLength: 4 }),
        )
        .map(([name, args]) => ({ [name]: args })),
    },
  );

  it('is one that flagd’s schema takes, and that compiles', () => {
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(wild, (condition) => {
        const targeting = { if: [condition, 'on'] };
        const { problems } = checkRule(targeting, ['on', 'off']);
        seen[problems.length === 0 ? 'taken' : 'refused'] += 1;
        if (problems.length > 0) return;
        expect([JSON.stringify(targeting), checkFlagdFlag({ ...ON, targeting })]).toEqual([
          JSON.stringify(targeting),
          null,
        ]);
        expect(compileFlag({ ...ON, key: 'f', targeting })({}).errorCode).not.toBe('PARSE_ERROR');
      }),
      fuzzRun('the door beside the schema', 3_000),
    );
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(200);
  });
});
