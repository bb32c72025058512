import { getClient, PollingMode, SettingType, User, UserComparator } from 'configcat-node';
import { KEYS, LEAST_VERSION, REGIONS, RULES_PERCENT, SPLIT_PERCENT } from '../subject.js';
import { askEach, type System } from '../system.js';

const value = (is: boolean) => ({ v: { b: is } });
const percentages = (percent: number) => [
  { p: percent, ...value(true) },
  { p: 100 - percent, ...value(false) },
];

/** A downloaded configuration, in ConfigCat's own short names (config JSON version 6). */
const CONFIG = {
  p: { s: 'bench' },
  f: {
    [KEYS.static]: { t: SettingType.Boolean, ...value(true) },
    [KEYS.split]: { t: SettingType.Boolean, p: percentages(SPLIT_PERCENT), ...value(false) },
    [KEYS.rules]: {
      t: SettingType.Boolean,
      r: [
        {
          c: [
            { u: { a: 'version', c: UserComparator.SemVerGreaterOrEquals, s: LEAST_VERSION } },
            { u: { a: 'region', c: UserComparator.TextIsOneOf, l: REGIONS } },
          ],
          p: percentages(RULES_PERCENT),
        },
      ],
      ...value(false),
    },
  },
};

export const configCat = async (version: string): Promise<System<User>> => {
  const cached = `${Date.now()}\n"bench"\n${JSON.stringify(CONFIG)}`;
  const client = getClient(`${'bench'.padEnd(22, '-')}/${'bench'.padEnd(22, '-')}`, PollingMode.ManualPoll, {
    offline: true,
    logger: null,
    cache: { get: () => cached, set: () => {} },
  });
  await client.waitForReady();
  const snapshot = client.snapshot();
  return {
    system: 'configcat-node',
    version,
    contextOf: ({ targetingKey, version: of, region }) =>
      new User(targetingKey, undefined, undefined, { version: of, region }),
    ask: askEach((key) => ({ sync: (user) => snapshot.getValue(key, false, user) })),
    close: () => client.dispose(),
  };
};
