import { init, type LDContext } from '@launchdarkly/node-server-sdk';
import { TestData } from '@launchdarkly/node-server-sdk/integrations';
import { KEYS, LEAST_VERSION, REGIONS, RULES_PERCENT, SPLIT_PERCENT } from '../subject.js';
import { askEach, type System } from '../system.js';

const rollout = (percent: number) => ({
  rollout: {
    variations: [
      { variation: 0, weight: percent * 1_000 },
      { variation: 1, weight: (100 - percent) * 1_000 },
    ],
  },
});

const clause = (attribute: string, op: string, values: readonly string[]) => ({
  attribute,
  op,
  values,
  negate: false,
  contextKind: 'user',
});

/** SemVer in LaunchDarkly compares by before and after: not before the least version. */
const RULE = {
  id: 'rule',
  clauses: [
    { ...clause('version', 'semVerLessThan', [LEAST_VERSION]), negate: true },
    clause('region', 'in', REGIONS),
  ],
  ...rollout(RULES_PERCENT),
};

export const launchDarkly = async (version: string): Promise<System<LDContext>> => {
  const data = new TestData();
  const put = (key: string, changes: object) =>
    data.usePreconfiguredFlag({
      key,
      on: true,
      version: 1,
      salt: key,
      variations: [true, false],
      offVariation: 1,
      fallthrough: { variation: 1 },
      targets: [],
      rules: [],
      prerequisites: [],
      ...changes,
    });
  await put(KEYS.static, { fallthrough: { variation: 0 } });
  await put(KEYS.split, { fallthrough: rollout(SPLIT_PERCENT) });
  await put(KEYS.rules, { rules: [RULE] });
  const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
  const client = init('sdk-bench', {
    updateProcessor: data.getFactory(),
    sendEvents: false,
    diagnosticOptOut: true,
    logger: quiet,
  });
  await client.waitForInitialization({ timeout: 10 });
  return {
    system: '@launchdarkly/node-server-sdk',
    version,
    contextOf: ({ targetingKey, version: of, region }) => ({
      kind: 'user',
      key: targetingKey,
      version: of,
      region,
    }),
    ask: askEach((key) => ({ async: (context) => client.boolVariation(key, context, false) })),
    close: () => client.close(),
  };
};
