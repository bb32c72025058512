import type { TrackingEventDetails } from '@openfeature/server-sdk';
import type { Headgate } from '../headgate.js';

/**
 * A tracked event in the instance's report: counter `<name>`, and its numeric `value` as readings of gauge `<name>.value`.
 * The evaluation context and every other detail stay here: they speak of people.
 */
export const trackEvent = (
  headgate: Headgate,
  event: string,
  details: TrackingEventDetails | undefined,
): void => {
  const name = metricName(event);
  headgate.counter(name).add();
  const value = details?.value;
  if (typeof value === 'number' && Number.isFinite(value)) headgate.gauge(`${name}.value`).set(value);
};

/** Lower case, and `_` for what the name of a metric cannot hold: `Checkout Completed` is `checkout_completed`. */
const metricName = (event: string): string => {
  const name = String(event)
    .toLowerCase()
    .replace(/[^a-z0-9_.-]/g, '_')
    .slice(0, MAX_NAME);
  return /^[a-z]/.test(name) ? name : `e_${name}`.slice(0, MAX_NAME);
};

/** A hundred, less the room for `.value`. */
const MAX_NAME = 94;
