import { ERRORS } from '@headgate/contracts';
import { RequestRefused } from '@headgate/service-kit';

/** An append that failed is an outage, whatever its class; sending again is always safe. */
export const refusedAppend = (cause: unknown): Error => {
  const { code } = cause as { code?: unknown };
  if (typeof code === 'string' && Object.hasOwn(ERRORS, code)) return cause as Error;
  const isUnknown = cause instanceof Error && cause.name === 'OutcomeUnknown';
  return Object.assign(
    new RequestRefused(
      isUnknown ? 'outcome-unknown' : 'log-unavailable',
      'The reports were not acknowledged.',
    ),
    { cause },
  );
};
