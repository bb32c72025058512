import type { RaisedSignal } from '@headgate/domain';
import type { Signal } from '@headgate/judge';

const MAX_DETAIL = 900;

/** How many of the log's signals, from the first, were known at this time; a look's script keeps the number. */
export function raisedBy(signals: readonly RaisedSignal[], at: number): number {
  const later = signals.findIndex((signal) => signal.at > at);
  return later === -1 ? signals.length : later;
}

export const signalOf = ({ signal, source, at, why }: RaisedSignal): Signal => ({
  kind: signal,
  source: { kind: source.kind, name: source.name },
  at,
  detail: why.slice(0, MAX_DETAIL),
});
