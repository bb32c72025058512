import type { FlagDefinition } from '@headgate/contracts';
import { bucket } from '@headgate/evaluation';
import fc from 'fast-check';
import { explainDefinition } from './explain-definition.js';
import { asked, interpret, naiveChannel, surroundingsIn } from './naive-channel.fixture.js';
import type { CompilableFlag, Surroundings } from './surroundings.js';

const SEED = Number(process.env.HEADGATE_SEED ?? 20_261_121);
const NOW = 1_790_000_000_000;

const gate: CompilableFlag = {
  key: 'gate',
  status: 'active',
  split: null,
  definition: {
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    overridable: 'none',
    rules: [{ when: { var: 'in' }, serve: { variant: 'on' } }],
  },
};
const definition: FlagDefinition = {
  state: 'ENABLED',
  variants: { on: 'a', off: 'b' },
  defaultVariant: 'off',
  overridable: 'none',
  prerequisites: [{ flag: 'gate', variants: ['on'] }],
  rules: [
    {
      name: 'accounts',
      when: { $ref: 'payers' },
      serve: { split: [{ variant: 'on', weightPpm: 1_000_000 }], bucketBy: 'account' },
    },
    { when: { '==': [{ var: 'os' }, 'linux'] }, serve: { variant: 'on' } },
  ],
  schedule: [
    { at: NOW - 2_000, serve: { variant: 'on' } },
    { at: NOW + 2_000, serve: { variant: 'off' } },
  ],
};
const around: Surroundings = {
  flag: () => gate,
  segment: () => ({ '==': [{ var: 'plan' }, 'paid'] }),
  attributes: null,
};
const traceOf = (context: Record<string, unknown>, over: Partial<CompilableFlag> = {}) =>
  explainDefinition({ key: 'path', status: 'active', split: null, definition, ...over }, around, {
    context,
    now: () => NOW,
  }).map(({ path, outcome, message }) => `${path} ${outcome}: ${message}`);

describe('the trace of a flag', () => {
  it('names each place that was looked at, and ends with the one that served', () => {
    expect(traceOf({ in: true, plan: 'paid' })).toEqual([
      'prerequisites.0 met: flag "gate" serves "on"; wanted is "on"',
      'rules.0.when met: accounts',
      'rules.0.serve passed-on: the context has no "account" to find a bucket by',
      'rules.1.when not-met: {"==":[{"var":"os"},"linux"]}',
      'schedule.0 met: since 2026-09-21T14:13:18.000Z',
      'schedule.0.serve served: "on"',
    ]);
    expect(traceOf({ in: true, plan: 'paid', account: 'x' }).at(-1)).toBe(
      `rules.0.serve served: "on": bucket ${bucket('path', 'x')} of 1000000`,
    );
    const split = { rolloutId: 'r', seed: 's', variant: 'on', weightPpm: 0 };
    expect(traceOf({ in: true, targetingKey: 'k' }, { split }).at(-1)).toBe(
      `rollout served: "off": bucket ${bucket('s', 'k')} of 1000000`,
    );
    expect(traceOf({})).toEqual([
      'prerequisites.0 not-met: flag "gate" serves "off"; wanted is "on"',
      'prerequisites.0.otherwise served: the default in the code',
    ]);
    expect(traceOf({}, { status: 'killed' })).toEqual([
      ' served: the default in the code: the flag is killed',
    ]);
  });

  it('ends with what the definition says, read step by step', () =>
    fc.assert(
      fc.property(naiveChannel, asked, (channel, question) => {
        for (const flag of channel.flags.values()) {
          const trace = explainDefinition(flag, surroundingsIn(channel), {
            context: question.context,
            now: () => question.nowMs,
          });
          expect([flag.key, trace.at(-1)?.outcome, trace.at(-1)?.variant]).toEqual([
            flag.key,
            'served',
            interpret(flag.key, channel, question),
          ]);
        }
      }),
      { numRuns: 200, seed: SEED },
    ));
});
