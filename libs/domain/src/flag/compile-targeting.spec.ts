import type { FlagDefinition, JsonValue, Serve } from '@headgate/contracts';
import { compileFlag } from '@headgate/evaluation';
import fc from 'fast-check';
import { compileTargeting } from './compile-targeting.js';
import { asked, interpret, naiveChannel, surroundingsIn } from './naive-channel.fixture.js';
import { ALONE, type CompilableFlag, type Surroundings } from './surroundings.js';

const SEED = Number(process.env.HEADGATE_SEED ?? 20_261_121);

const evaluatorOf = (flag: CompilableFlag, around: Surroundings, nowMs: number) => {
  const { variants, state } = flag.definition;
  const { targeting, defaultVariant } = compileTargeting(flag, around);
  return compileFlag({ key: flag.key, state, variants, defaultVariant, targeting }, { now: () => nowMs });
};

const base = {
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  overridable: 'none',
} as const;
const flagOf = (definition: Partial<FlagDefinition>, over: Partial<CompilableFlag> = {}): CompilableFlag => ({
  key: 'path',
  status: 'active',
  split: null,
  definition: { ...base, ...definition },
  ...over,
});
const channelOf = (...flags: readonly CompilableFlag[]): Surroundings => ({
  ...ALONE,
  flag: (key) => flags.find((flag) => flag.key === key),
});
const targetingOf = (definition: Partial<FlagDefinition>, around = ALONE): JsonValue | undefined =>
  compileTargeting(flagOf(definition), around).targeting;

const KEY = { var: 'targetingKey' };
const NOW = { var: '$flagd.timestamp' };
const half: Serve = {
  split: [
    { variant: 'on', weightPpm: 500_000 },
    { variant: 'off', weightPpm: 500_000 },
  ],
};
const halfBy = (seed: string, by: JsonValue = KEY): JsonValue => ({
  fractional: [{ cat: [seed, by] }, ['on', 500_000], ['off', 500_000]],
});

describe('a definition and its compiled rule', () => {
  it('mean the same: the evaluator agrees with the definition read step by step', () => {
    let decided = 0;
    fc.assert(
      fc.property(naiveChannel, asked, (channel, question) => {
        for (const flag of channel.flags.values()) {
          if (flag.status !== 'active') continue;
          const { variant = null, errorMessage } = evaluatorOf(
            flag,
            surroundingsIn(channel),
            question.nowMs,
          )(question.context);
          expect({ key: flag.key, variant, errorMessage }).toEqual({
            key: flag.key,
            variant: interpret(flag.key, channel, question),
            errorMessage: undefined,
          });
          if (variant !== null) decided += 1;
        }
      }),
      { numRuns: 1_000, seed: SEED },
    );
    expect(decided).toBeGreaterThan(1_000);
  }, 120_000);

  it('need nothing but the document: what is written out refers to no other flag, segment or key', () => {
    fc.assert(
      fc.property(naiveChannel, (channel) => {
        for (const flag of channel.flags.values()) {
          const { targeting } = compileTargeting(flag, surroundingsIn(channel));
          expect(JSON.stringify(targeting) ?? '').not.toContain('$ref');
        }
      }),
      { numRuns: 300, seed: SEED },
    );
  });
});

describe('who is served a variant', () => {
  const member = (weightPpm: number, key: string): boolean => {
    const rest = { variant: 'off', weightPpm: 1_000_000 - weightPpm };
    const flag = flagOf({ fallthrough: { split: [{ variant: 'on', weightPpm }, rest] } });
    return evaluatorOf(flag, ALONE, 0)({ targetingKey: key }).variant === 'on';
  };
  const weight = fc.integer({ min: 0, max: 1_000_000 });

  it('keeps it while its weight rises', () =>
    fc.assert(
      fc.property(weight, weight, fc.string({ minLength: 1 }), (a, b, key) => {
        if (member(Math.min(a, b), key)) expect(member(Math.max(a, b), key)).toBe(true);
      }),
      { numRuns: 2_000, seed: SEED },
    ));

  it('keeps it while a ramp goes up, loses it once while one goes down, and a ramp ends exactly where it says', () =>
    fc.assert(
      fc.property(
        weight,
        weight,
        fc.integer({ min: 1_000, max: 10_000_000_000 }),
        fc.array(fc.double({ min: -0.5, max: 1.5, noNaN: true }), { minLength: 2 }),
        fc.string({ minLength: 1 }),
        (w0, w1, span, shares, key) => {
          const at = 1_790_000_000_123;
          const ramp = { variant: 'on', from: { at, weightPpm: w0 }, to: { at: at + span, weightPpm: w1 } };
          const flag = flagOf({ fallthrough: { ramp } });
          const isOn = (ms: number) => evaluatorOf(flag, ALONE, ms)({ targetingKey: key }).variant === 'on';
          const times = shares.map((share) => Math.floor(at + share * span)).sort((a, b) => a - b);
          const served = times.map(isOn);
          const sorted = [...served].sort((a, b) =>
            w1 >= w0 ? Number(a) - Number(b) : Number(b) - Number(a),
          );
          expect(served).toEqual(sorted);
          expect(isOn(at - 1_000)).toBe(member(w0, key));
          expect(isOn(at + span + 1_000)).toBe(member(w1, key));
        },
      ),
      { numRuns: 500, seed: SEED },
    ));
});

describe('the compiled rule', () => {
  it('puts rules in order, and passes on who has no bucket', () => {
    const when = { '==': [{ var: 'os' }, 'linux'] };
    const rules = [
      { when, serve: half },
      { when: true, serve: { variant: 'off' } },
    ];
    expect(targetingOf({ rules })).toEqual({ if: [{ and: [when, KEY] }, halfBy('path'), true, 'off', null] });
  });

  it('hashes by the seed and the attribute that are named', () => {
    const by = { var: 'account.id' };
    expect(targetingOf({ fallthrough: { ...half, seed: 'shared', bucketBy: 'account.id' } })).toEqual({
      if: [by, halfBy('shared', by), null],
    });
    expect(targetingOf({ seed: 'own', fallthrough: half })).toEqual({ if: [KEY, halfBy('own'), null] });
  });

  it('compares the schedule with the clock, newest entry first', () => {
    const schedule = [
      { at: 1_000_000, serve: { variant: 'on' } },
      { at: 2_000_000, serve: { variant: 'off' } },
    ];
    expect(targetingOf({ schedule, fallthrough: half })).toEqual({
      if: [{ '>=': [NOW, 2_000] }, 'off', { '>=': [NOW, 1_000] }, 'on', { if: [KEY, halfBy('path'), null] }],
    });
  });

  it('has segments in the place of their names', () => {
    const around = { ...ALONE, segment: (name: string) => (name === 'eu' ? { var: 'eu' } : undefined) };
    const targeting: JsonValue = { if: [{ and: [{ $ref: 'eu' }, { var: 'x' }] }, 'on', null] };
    expect(targetingOf({ targeting }, around)).toEqual({
      if: [{ and: [{ var: 'eu' }, { var: 'x' }] }, 'on', null],
    });
  });

  it.each<[string, Partial<FlagDefinition>]>([
    ['nothing', {}],
    ['an empty rule', { targeting: {} }],
    ['a raw rule', { targeting: { if: [{ var: 'x' }, 'on', null] } }],
    ['a bare name, as version 0.1 took it', { targeting: 'on' }],
    ['null', { targeting: null }],
  ])('is what version 0.1 published for %s', (_, definition) =>
    expect(targetingOf(definition)).toEqual(definition.targeting),
  );
});

describe('a prerequisite', () => {
  const gate = (over: Partial<CompilableFlag> = {}, definition: Partial<FlagDefinition> = {}) =>
    flagOf(
      { rules: [{ when: { var: 'in' }, serve: { variant: 'on' } }], ...definition },
      { key: 'gate', ...over },
    );
  const needy = (otherwise?: string): CompilableFlag =>
    flagOf({
      defaultVariant: 'on',
      prerequisites: [{ flag: 'gate', variants: ['on'], ...(otherwise ? { otherwise } : {}) }],
    });
  const served = (flag: CompilableFlag, around: Surroundings, context: object = {}) =>
    evaluatorOf(flag, around, 0)(context as Record<string, unknown>).variant;

  it('lets on who is served what is wanted, and gives others what is said', () => {
    expect(served(needy('off'), channelOf(gate()), { in: true })).toBe('on');
    expect(served(needy('off'), channelOf(gate()))).toBe('off');
  });
  it('leaves others the default in the code, even where the default variant is the wanted one', () =>
    expect(served(needy(), channelOf(gate()))).toBeUndefined());
  it.each<[string, Partial<CompilableFlag>, Partial<FlagDefinition>]>([
    ['killed', { status: 'killed' }, {}],
    ['archived', { status: 'archived' }, {}],
    ['disabled', {}, { state: 'DISABLED' }],
  ])('that is %s is met by nobody', (_, over, definition) => {
    const around = channelOf(gate(over, definition));
    expect(served(needy('off'), around, { in: true })).toBe('off');
    expect(served(needy(), around, { in: true })).toBeUndefined();
  });
  it('that is not there, or is the flag itself, is met by nobody', () => {
    expect(served(needy('off'), ALONE, { in: true })).toBe('off');
    const circle = flagOf({ prerequisites: [{ flag: 'path', variants: ['off'], otherwise: 'on' }] });
    expect(served(circle, channelOf(circle))).toBe('on');
  });
  it('hands a kill on along a chain', () => {
    const middle = flagOf(
      { defaultVariant: 'on', prerequisites: [{ flag: 'gate', variants: ['on'], otherwise: 'off' }] },
      { key: 'middle' },
    );
    const last = flagOf({
      defaultVariant: 'on',
      prerequisites: [{ flag: 'middle', variants: ['on'], otherwise: 'off' }],
    });
    expect(served(last, channelOf(gate(), middle), { in: true })).toBe('on');
    expect(served(last, channelOf(gate({ status: 'killed' }), middle), { in: true })).toBe('off');
  });
  it('buckets as in its own document, though it is evaluated in another', () => {
    const split = gate(
      {},
      {
        rules: [],
        targeting: {
          fractional: [
            ['on', 50],
            ['off', 50],
          ],
        },
      },
    );
    const around = channelOf(split);
    for (let i = 0; i < 200; i++) {
      const context = { targetingKey: `host-${i}` };
      expect(served(needy('off'), around, context)).toBe(served(split, around, context));
    }
  });
  it('knows the key that it reads as its own', () => {
    const named = gate(
      {},
      { rules: [], targeting: { if: [{ '==': [{ var: '$flagd.flagKey' }, 'gate'] }, 'on', 'off'] } },
    );
    expect(served(needy('off'), channelOf(named))).toBe('on');
  });
});
