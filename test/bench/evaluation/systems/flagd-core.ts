import { FlagdCore } from '@openfeature/flagd-core';
import type { EvaluationContext, Provider } from '@openfeature/server-sdk';
import { FLAGD_FLAGS } from '../flagd-flags.js';
import { askEach, type System } from '../system.js';

const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

const configured = (): FlagdCore => {
  const core = new FlagdCore(undefined, quiet);
  const flags = Object.fromEntries(Object.values(FLAGD_FLAGS).map(({ key, ...flag }) => [key, flag]));
  core.setConfigurations(JSON.stringify({ flags }));
  return core;
};

export const flagdCore = (version: string): System<EvaluationContext> => {
  const core = configured();
  return {
    system: '@openfeature/flagd-core',
    version,
    contextOf: (subject) => ({ ...subject }),
    ask: askEach((key) => ({
      sync: (context) => core.resolveBooleanEvaluation(key, false, context, quiet).value,
    })),
  };
};

/** flagd-core as flagd's own in-process provider calls it. */
export const flagdCoreProvider = (): Provider => {
  const core = configured();
  return {
    metadata: { name: 'flagd-core' },
    runsOn: 'server',
    resolveBooleanEvaluation: async (key, fallback, context, logger) =>
      core.resolveBooleanEvaluation(key, fallback, context, logger),
    resolveStringEvaluation: async (key, fallback, context, logger) =>
      core.resolveStringEvaluation(key, fallback, context, logger),
    resolveNumberEvaluation: async (key, fallback, context, logger) =>
      core.resolveNumberEvaluation(key, fallback, context, logger),
    resolveObjectEvaluation: async (key, fallback, context, logger) =>
      core.resolveObjectEvaluation(key, fallback, context, logger),
  };
};
