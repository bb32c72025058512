import { GrowthBookClient, type UserContext } from '@growthbook/growthbook';
import { KEYS, LEAST_VERSION, REGIONS, RULES_PERCENT, SPLIT_PERCENT } from '../subject.js';
import { askEach, type System } from '../system.js';

export const growthBook = (version: string): System<UserContext> => {
  const client = new GrowthBookClient().initSync({
    payload: {
      features: {
        [KEYS.static]: { defaultValue: true },
        [KEYS.split]: {
          defaultValue: false,
          rules: [{ force: true, coverage: SPLIT_PERCENT / 100, hashAttribute: 'id' }],
        },
        [KEYS.rules]: {
          defaultValue: false,
          rules: [
            {
              condition: { version: { $vgte: LEAST_VERSION }, region: { $in: [...REGIONS] } },
              force: true,
              coverage: RULES_PERCENT / 100,
              hashAttribute: 'id',
            },
          ],
        },
      },
    },
  });
  return {
    system: '@growthbook/growthbook',
    version,
    contextOf: ({ targetingKey, version: of, region }) => ({
      attributes: { id: targetingKey, version: of, region },
    }),
    ask: askEach((key) => ({ sync: (context) => client.isOn(key, context) })),
    close: () => client.destroy(),
  };
};
