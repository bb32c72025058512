import type { EvaluationContext } from '@headgate/evaluation';
import { type FlagValue, resolveDetails } from './flags/resolve-details.js';
import type { FlagDetails, FlagsChanged, Headgate, HeadgateStatus } from './headgate.js';
import { inertHeadgate } from './inert-headgate.js';
import { Listeners } from './status/listeners.js';
import { Meters } from './telemetry/meters.js';

export type TestFlag = FlagValue | ((context: EvaluationContext) => FlagValue);

export interface TestHeadgate extends Headgate {
  /** Changes a flag; listeners of `change` are called before this returns. */
  set(key: string, flag: TestFlag): void;
  /** What the application recorded so far. */
  recorded(): ReturnType<Meters['read']>;
}

/** A Headgate for an application's own tests: flags by value or by function, no network, no disk, no clock. */
export const openTestHeadgate = ({
  flags = {},
}: {
  flags?: Readonly<Record<string, TestFlag>>;
} = {}): TestHeadgate => {
  const held = new Map<string, TestFlag>(Object.entries(flags));
  const changes = new Listeners<FlagsChanged>((error) => {
    throw error;
  });
  const statuses = new Listeners<HeadgateStatus>(() => {});
  const meters = new Meters(
    () => 0,
    (message) => {
      throw new Error(message);
    },
  );
  let n = 1;
  const details = <T extends FlagValue>(
    key: string,
    fallback: T,
    context: EvaluationContext = {},
  ): FlagDetails<T> =>
    resolveDetails({
      fallback,
      hasFlags: true,
      freshness: { status: 'fresh', ageMs: 0, skewMs: 0 },
      evaluate: () => {
        const flag = held.get(key);
        if (flag === undefined) return undefined;
        const value =
          typeof flag === 'function' ? (flag as (c: EvaluationContext) => FlagValue)(context) : flag;
        return { variant: String(value), value, reason: 'STATIC' };
      },
    });
  const value = <T extends FlagValue>(key: string, fallback: T, context?: EvaluationContext): T =>
    details(key, fallback, context).value;
  return {
    ...inertHeadgate(0, ''),
    boolean: value,
    string: value,
    number: value,
    object: value,
    details,
    on: ((event: string, listener: never) =>
      event === 'change' ? changes.add(listener) : statuses.add(listener)) as Headgate['on'],
    counter: (name) => meters.counter(name),
    gauge: (name) => meters.gauge(name),
    event: (name) => meters.event(name),
    ready: () => Promise.resolve(true),
    status: () => ({
      ...inertHeadgate(0, '').status(),
      connection: 'connected',
      flags: 'live',
      problems: [],
      problemCount: 0,
    }),
    set: (key, flag) => {
      held.set(key, flag);
      n += 1;
      changes.emit({ source: 'gateway', epoch: 0, n, position: n, flags: [{ key, document: null }] });
    },
    recorded: () => meters.read(),
  };
};
