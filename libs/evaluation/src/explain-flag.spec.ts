import { explainFlag } from './explain-flag.js';
import type { EvaluableFlag } from './flag.js';

const flag = (targeting?: unknown, changes: Partial<EvaluableFlag> = {}): EvaluableFlag => ({
  key: 'new-path',
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  ...(targeting === undefined ? {} : { targeting }),
  ...changes,
});
const isDebian = { '==': [{ var: 'os' }, 'debian'] };
const split = { fractional: [{ cat: ['seed', { var: 'targetingKey' }] }, ['on', 400_000], ['off', 600_000]] };

describe('explainFlag', () => {
  it('tells every operator that was asked, and which branch decided', () => {
    expect(explainFlag(flag({ if: [isDebian, 'on', split] }), { os: 'debian', targetingKey: 'a' })).toEqual({
      evaluation: { variant: 'on', value: true, reason: 'TARGETING_MATCH' },
      decidedBy: '/if/1',
      trace: [
        { path: '/if/0/==/0', operator: 'var', value: 'debian' },
        { path: '/if/0', operator: '==', value: true },
        { path: '', operator: 'if', value: 'on' },
      ],
      isCut: false,
    });
  });

  it('tells what was hashed, where it fell, and whose share that is', () => {
    const { evaluation, decidedBy, trace } = explainFlag(flag({ if: [isDebian, 'on', split] }), {
      os: 'fedora',
      targetingKey: 'instance-7',
    });
    const bucket = trace.find(({ operator }) => operator === 'fractional')?.bucket;
    expect(bucket).toMatchObject({ by: 'seedinstance-7', total: 1_000_000 });
    const share = (bucket?.bucket ?? 0) < 400_000 ? 1 : 2;
    expect(decidedBy).toBe(`/if/2/fractional/${share}`);
    expect(evaluation).toMatchObject({ reason: 'SPLIT', variant: share === 1 ? 'on' : 'off' });
  });

  it('has nothing to tell of a flag without a rule, or one whose rule cannot be read', () => {
    for (const silent of [flag(), flag(isDebian, { state: 'DISABLED' }), flag({ shout: 1 })]) {
      expect(explainFlag(silent, {})).toMatchObject({ decidedBy: null, trace: [] });
    }
  });

  it('tells where a rule failed', () => {
    const { evaluation, trace } = explainFlag(flag({ if: [{ '<': [{ var: 'n' }, 5] }, 'on'] }), { n: {} });
    expect(evaluation).toMatchObject({ reason: 'ERROR', errorCode: 'GENERAL' });
    expect(trace.filter(({ error }) => error)).toEqual([
      { path: '/if/0', operator: '<', error: 'expected a number, got an object' },
    ]);
  });

  it('falls through to the default variant, and says so', () => {
    expect(explainFlag(flag({ if: [isDebian, 'on'] }), {})).toMatchObject({
      evaluation: { reason: 'DEFAULT', variant: 'off' },
      decidedBy: '',
    });
  });

  it('tells no end of steps', () => {
    const many = Array.from({ length: 2_000 }, (_, i) => i);
    const { trace, isCut } = explainFlag(
      flag({ if: [{ some: [{ var: 'many' }, { '<': [{ var: '' }, 0] }] }, 'on'] }),
      { many },
    );
    expect([trace.length, isCut]).toEqual([1_000, true]);
  });

  it('reads the clock that it was handed', () => {
    const rule = { if: [{ '>=': [{ var: '$flagd.timestamp' }, 100] }, 'on'] };
    expect(explainFlag(flag(rule), {}, { now: () => 100_000 }).decidedBy).toBe('/if/1');
    expect(explainFlag(flag(rule), {}, { now: () => 99_999 }).decidedBy).toBe('');
  });
});
