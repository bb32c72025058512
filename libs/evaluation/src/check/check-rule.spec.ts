import { checkRule, RULE_LIMITS } from './check-rule.js';

const VARIANTS = ['on', 'off'];
const found = (rule: unknown, variants: readonly string[] | null = VARIANTS) =>
  checkRule(rule, variants).problems.map(({ path, code }) => `${code} at ${path}`);
const os = (name: string) => ({ '==': [{ var: 'os' }, name] });
const nested = (depth: number) =>
  Array.from({ length: depth }).reduce<unknown>((rule) => ({ '!': [rule] }), { var: 'a' });

describe('checkRule', () => {
  it.each<[string, unknown]>([
    ['no rule', {}],
    ['a variant', 'on'],
    ['a branch for each', { if: [os('debian'), 'on', os('fedora'), 'off', null] }],
    ['the default by falling through', { if: [os('debian'), 'on'] }],
    [
      'a split behind a guard',
      {
        if: [
          { var: 'targetingKey' },
          { fractional: [{ cat: ['seed', { var: 'targetingKey' }] }, ['on', 1], ['off', 999_999]] },
          null,
        ],
      },
    ],
    [
      'weights that are computed',
      { fractional: [['on', { '+': [{ var: '$flagd.timestamp' }, 1] }], ['off']] },
    ],
    [
      'conditions of every kind',
      {
        if: [
          {
            and: [
              { sem_ver: [{ var: 'version' }, '>=', '1.4.0'] },
              { in: [{ var: 'region' }, ['eu', 'us']] },
              { starts_with: [{ var: 'host' }, 'web'] },
              { some: [{ var: 'groups' }, { '<': [0, { var: 'age' }, 5] }] },
            ],
          },
          'on',
        ],
      },
    ],
  ])('has nothing to say about %s', (_, rule) => {
    expect(checkRule(rule, VARIANTS).problems).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{ shout: ['a'] }, 'unknown-operator at /shout'],
    [{ constructor: ['a'] }, 'unknown-operator at /constructor'],
    [{ if: [true, 'on'], and: [] }, 'not-one-operator at '],
    [{ if: [{}, 'on'] }, 'not-one-operator at /if/0'],
    [{ if: [{ $ref: 'gone' }, 'on'] }, 'unresolved-reference at /if/0'],
    [{ if: [{ '==': [{ var: 'a' }] }, 'on'] }, 'wrong-arguments at /if/0/=='],
    [{ if: [{ in: { var: 'a' } }, 'on'] }, 'wrong-arguments at /if/0/in'],
    [{ if: [{ var: '$flagd.now' }, 'on'] }, 'unknown-variable at /if/0/var'],
    [{ if: [{ sem_ver: [{ var: 'v' }, '=>', '1.0.0'] }, 'on'] }, 'wrong-arguments at /if/0/sem_ver/1'],
    [{ if: [{ sem_ver: [{ var: 'v' }, '>', 'one'] }, 'on'] }, 'wrong-arguments at /if/0/sem_ver/2'],
    [{ if: [{ sem_ver: [{ var: 'v' }, '>', '1.4'] }, 'on'] }, 'wrong-arguments at /if/0/sem_ver/2'],
    [{ if: [{ starts_with: [{ var: 'v' }, 1] }, 'on'] }, 'wrong-arguments at /if/0/starts_with/1'],
    [{ fractional: [['on', 1.5], ['off']] }, 'wrong-weights at /fractional/0/1'],
    [{ fractional: [['on', -1], ['off']] }, 'wrong-weights at /fractional/0/1'],
    [{ fractional: [['on', 0]] }, 'wrong-weights at /fractional'],
    [
      {
        fractional: [
          ['on', 2_147_483_647],
          ['off', 1],
        ],
      },
      'wrong-weights at /fractional',
    ],
    [{ fractional: ['key', ['on', 1]] }, 'wrong-arguments at /fractional/0'],
    [{ fractional: [['on', 1], 'off'] }, 'wrong-arguments at /fractional/1'],
    [{ fractional: [['purple', 1]] }, 'no-such-variant at /fractional/0/0'],
    [{ if: [os('debian'), 'purple'] }, 'no-such-variant at /if/1'],
    [{ if: [os('debian'), 'on', { if: [os('b'), 5] }] }, 'no-such-variant at /if/2/if/1'],
    [os('debian'), 'no-such-variant at '],
    [{ merge: [['on']] }, 'no-such-variant at '],
    [{ if: [true, 'on', 'off'] }, 'unreachable at /if/2'],
    [{ if: [{ '==': [1, 2] }, 'on', 'off'] }, 'unreachable at /if/1'],
    [{ if: [os('debian'), 'on', os('debian'), 'off'] }, 'unreachable at /if/3'],
    [{ if: [{ or: [true, os('debian')] }, 'on'] }, 'unreachable at /if/0/or/1'],
    [{ if: [{ and: [os('a'), false, os('b')] }, 'on'] }, 'unreachable at /if/0/and/2'],
    [{ if: [{ '<': [{ var: 'a' }, { '+': ['x', 1] }] }, 'on'] }, 'fails-always at /if/0/</1'],
    [{ 'a/b~c': 1 }, 'unknown-operator at /a~1b~0c'],
  ])('finds in %j: %s', (rule, problem) => {
    expect(found(rule)).toEqual([problem]);
  });

  it('says what to do about each problem', () => {
    expect(checkRule({ if: [os('debian'), 'purple'] }, VARIANTS).problems).toEqual([
      {
        path: '/if/1',
        code: 'no-such-variant',
        message: 'result "purple" names no variant: the flag has "on", "off"',
      },
    ]);
  });

  it('takes any value of a condition, which names no variant', () => {
    expect(found(os('debian'), null)).toEqual([]);
    expect(found({ if: [os('debian'), 'purple', 5] }, null)).toEqual([]);
    expect(found({ shout: 1 }, null)).toEqual(['unknown-operator at /shout']);
  });

  it('refuses what is too deep or too large, and lists no end of problems', () => {
    expect(found(nested(RULE_LIMITS.depth - 1), null)).toEqual([]);
    expect(found(nested(300), null)[0]).toMatch(/^too-deep/);
    const large = { in: [{ var: 'a' }, Array.from({ length: RULE_LIMITS.nodes }, (_, i) => i)] };
    expect(found(large, null)[0]).toMatch(/^too-large/);
    const wrong = { or: Array.from({ length: 1_000 }, () => ({ shout: 1 })) };
    expect(found(wrong, null)).toHaveLength(20);
  });

  it('bounds what constant parts may cost', () => {
    const many = Array.from({ length: 100 }, (_, i) => i);
    const doubling = { reduce: [many, { cat: [{ var: 'accumulator' }, { var: 'accumulator' }] }, 'x'] };
    expect(found({ if: [{ in: [{ var: 'a' }, doubling] }, 'on'] })).toEqual(['fails-always at /if/0/in/1']);
  });
});
