import { once } from 'node:events';
import { type Context, InMemStorageProvider, Unleash } from 'unleash-client';
import { KEYS, LEAST_VERSION, REGIONS, RULES_PERCENT, SPLIT_PERCENT } from '../subject.js';
import { askEach, type System } from '../system.js';

const NOWHERE = 'http://127.0.0.1:9';

const rollout = (percent: number) => ({
  name: 'flexibleRollout',
  parameters: { rollout: String(percent), stickiness: 'userId', groupId: 'bench' },
});

export const unleashClient = async (version: string): Promise<System<Context>> => {
  const unleash = new Unleash({
    appName: 'bench',
    url: NOWHERE,
    refreshInterval: 0,
    disableMetrics: true,
    skipInstanceCountWarning: true,
    storageProvider: new InMemStorageProvider(),
    bootstrap: {
      data: [
        {
          name: KEYS.static,
          enabled: true,
          strategies: [{ name: 'default', parameters: {}, constraints: [] }],
        },
        { name: KEYS.split, enabled: true, strategies: [{ ...rollout(SPLIT_PERCENT), constraints: [] }] },
        {
          name: KEYS.rules,
          enabled: true,
          strategies: [
            {
              ...rollout(RULES_PERCENT),
              constraints: [
                constraint('version', 'SEMVER_GT', { value: LEAST_VERSION, inverted: false }),
                constraint('region', 'IN', { values: [...REGIONS] }),
              ],
            },
          ],
        },
      ] as never,
    },
  });
  unleash.on('error', () => {});
  await once(unleash, 'ready');
  return {
    system: 'unleash-client',
    version,
    contextOf: ({ targetingKey, version: of, region }) => ({
      userId: targetingKey,
      properties: { version: of, region },
    }),
    ask: askEach((key) => ({ sync: (context) => unleash.isEnabled(key, context, false) })),
    close: () => unleash.destroy(),
  };
};

const constraint = (contextName: string, operator: string, changes: object) => ({
  contextName,
  operator,
  values: [],
  inverted: false,
  caseInsensitive: false,
  ...changes,
});
