import {
  type EvaluationContext,
  OpenFeature,
  type Provider,
  type ResolutionDetails,
} from '@openfeature/server-sdk';
import { askEach, type System } from '../system.js';

/** OpenFeature's SDK around a provider, in a domain of its own. */
export const openFeature = async (
  name: string,
  version: string,
  provider: Provider,
): Promise<System<EvaluationContext>> => {
  await OpenFeature.setProviderAndWait(name, provider);
  const client = OpenFeature.getClient(name);
  return {
    system: `openfeature sdk + ${name}`,
    version,
    contextOf: (subject) => ({ ...subject }),
    ask: askEach((key) => ({ async: (context) => client.getBooleanValue(key, false, context) })),
    close: () => provider.onClose?.(),
  };
};

const nothing = <T>(value: T): Promise<ResolutionDetails<T>> => Promise.resolve({ value });

/** A provider that does nothing: what the SDK itself costs. */
export const noOpProvider: Provider = {
  metadata: { name: 'no-op' },
  runsOn: 'server',
  resolveBooleanEvaluation: (_, fallback) => nothing(fallback),
  resolveStringEvaluation: (_, fallback) => nothing(fallback),
  resolveNumberEvaluation: (_, fallback) => nothing(fallback),
  resolveObjectEvaluation: (_, fallback) => nothing(fallback),
};
