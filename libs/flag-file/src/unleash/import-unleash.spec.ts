import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonValue } from '@headgate/contracts';
import { compileTargeting } from '@headgate/domain';
import { compileFlag } from '@headgate/evaluation';
import { InMemStorageProvider, Unleash } from 'unleash-client';
import { checkFlagFile } from '../check-flag-file.js';
import type { FlagFile } from '../flag-file.js';
import type { Imported } from '../report.js';
import { compilable, surroundingsOf } from '../surroundings.js';
import { importUnleash } from './import-unleash.js';

type Json = Readonly<Record<string, unknown>>;

const strategy = (name: string, parameters: Json = {}, rest: Json = {}): Json => ({
  name,
  parameters,
  ...rest,
});
const asks = (...constraints: Json[]): Json => strategy('default', {}, { constraints });
const feature = (name: string, strategies: readonly Json[], rest: Json = {}): Json => ({
  name,
  enabled: true,
  strategies,
  ...rest,
});
const rollout = (percent: number, stickiness = 'userId', groupId = 'group'): Json =>
  strategy('flexibleRollout', { rollout: String(percent), stickiness, groupId });

/** Everything here means the same in both: shares are all or nothing. */
const FEATURES: readonly Json[] = [
  feature('none', []),
  feature('default', [strategy('default')]),
  feature('off', [strategy('default')], { enabled: false }),
  feature('users', [strategy('userWithId', { userIds: 'ann, bob' })]),
  feature('addresses', [
    strategy('remoteAddress', { IPs: '10.1.2.3, 192.168.0.0/16,172.16.0.0/12,10.0.0.4/30' }),
  ]),
  feature('all', [rollout(100)]),
  feature('nobody', [rollout(0)]),
  feature('nobody but bob', [rollout(0), strategy('userWithId', { userIds: 'bob' })].reverse()),
  feature('session', [strategy('gradualRolloutSessionId', { percentage: '100', groupId: 'x' })]),
  feature('in', [asks({ contextName: 'os', operator: 'IN', values: ['debian', ' arch ', ''] })]),
  feature('not in', [asks({ contextName: 'os', operator: 'NOT_IN', values: ['debian'] })]),
  feature('not not in', [
    asks({ contextName: 'os', operator: 'NOT_IN', values: ['debian'], inverted: true }),
  ]),
  feature('starts', [asks({ contextName: 'os', operator: 'STR_STARTS_WITH', values: ['deb', 'ar'] })]),
  feature('ends', [asks({ contextName: 'os', operator: 'STR_ENDS_WITH', values: ['an'], inverted: true })]),
  feature('contains', [asks({ contextName: 'os', operator: 'STR_CONTAINS', values: ['bia'] })]),
  ...['EQ', 'GT', 'GTE', 'LT', 'LTE'].flatMap((sign) => [
    feature(`number ${sign}`, [asks({ contextName: 'cores', operator: `NUM_${sign}`, value: '4' })]),
    feature(`number not ${sign}`, [
      asks({ contextName: 'cores', operator: `NUM_${sign}`, value: '4', inverted: true }),
    ]),
    feature(`version ${sign}`, [
      asks({ contextName: 'version', operator: `SEMVER_${sign}`, value: '1.2.3' }),
    ]),
  ]),
  feature('no number', [asks({ contextName: 'cores', operator: 'NUM_GT', value: 'many' })]),
  feature('late', [
    asks({ contextName: 'currentTime', operator: 'DATE_AFTER', value: '2020-01-01T00:00:00Z' }),
  ]),
  feature('early', [
    asks({ contextName: 'currentTime', operator: 'DATE_BEFORE', value: '2020-01-01T00:00:00Z' }),
  ]),
  feature('cidr', [
    asks({ contextName: 'remoteAddress', operator: 'IN_CIDR', values: ['192.168.4.0/22', '10.1.2.3'] }),
  ]),
  feature('regex', [
    asks({ contextName: 'os', operator: 'REGEX', value: '^no such system' }),
    strategy('userWithId', { userIds: 'ann' }),
  ]),
  feature('invented', [strategy('moon-phase'), strategy('userWithId', { userIds: 'ann' })]),
  feature('two constraints', [
    asks(
      { contextName: 'os', operator: 'IN', values: ['debian'] },
      { contextName: 'cores', operator: 'NUM_GTE', value: '4' },
    ),
  ]),
  feature('segmented', [strategy('default', {}, { segments: [7] })]),
  feature('segment lost', [strategy('default', {}, { segments: [8] })]),
  feature('child', [strategy('default')], { dependencies: [{ feature: 'users' }] }),
  feature('stubborn child', [strategy('default')], { dependencies: [{ feature: 'users', enabled: false }] }),
  feature('orphan', [strategy('default')], { dependencies: [{ feature: 'gone' }] }),
].map((item) => ({ ...item, name: String(item.name).replaceAll(' ', '-') }));

const STATE = {
  version: 2,
  features: FEATURES,
  segments: [
    {
      id: 7,
      name: 'Big Debians',
      constraints: [
        { contextName: 'os', operator: 'IN', values: ['debian'] },
        { contextName: 'cores', operator: 'NUM_GT', value: '2' },
      ],
    },
  ],
};

const CONTEXTS: readonly Json[] = [
  {},
  { userId: 'ann' },
  { userId: 'bob', sessionId: 's1', remoteAddress: '10.1.2.3' },
  { userId: 'eve', remoteAddress: '192.168.7.9', properties: { os: 'debian', cores: '4', version: '1.2.3' } },
  { remoteAddress: '172.31.255.1', properties: { os: 'arch', cores: '3', version: '1.2.4' } },
  { remoteAddress: '172.32.0.1', properties: { os: 'Debian', cores: '12', version: '0.9.0' } },
  {
    remoteAddress: '10.0.0.7',
    sessionId: 's',
    properties: { os: 'xdebianx', cores: '4.5', version: '1.2.3-rc.1' },
  },
];

/** Unleash's own client, fed by the smallest server that it takes for one. */
const withUnleash = async <T>(state: object, body: (client: Unleash) => T | Promise<T>): Promise<T> => {
  const server = createServer((_request, answer) => {
    answer.setHeader('content-type', 'application/json');
    answer.end(JSON.stringify(state));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new Unleash({
    appName: 'spec',
    url: `http://127.0.0.1:${port}/`,
    refreshInterval: 3_600_000,
    disableMetrics: true,
    skipInstanceCountWarning: true,
    storageProvider: new InMemStorageProvider(),
  });
  client.on('warn', () => undefined);
  try {
    await once(client, 'synchronized');
    return await body(client);
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
};

const contextHere = ({ userId, properties = {}, ...rest }: Json): Json => ({
  ...rest,
  ...(properties as Json),
  ...(userId === undefined ? {} : { targetingKey: userId }),
});

const served = (file: FlagFile, key: string, context: Json): string | undefined => {
  const flag = compilable(file, key);
  if (!flag) throw new Error(`flag ${key} was not carried`);
  const { state, variants } = flag.definition;
  const { targeting, defaultVariant } = compileTargeting(flag, surroundingsOf(file));
  const { variant, reason, errorMessage } = compileFlag(
    { key, state, variants, defaultVariant, targeting },
    { now: Date.now },
  )(contextHere(context) as never);
  if (reason === 'ERROR') throw new Error(errorMessage);
  return variant;
};

const fileOf = ({ file, problems }: Imported): FlagFile => {
  expect(problems).toEqual([]);
  expect(checkFlagFile(file as FlagFile).filter(({ message }) => !/no flag|never/.test(message))).toEqual([]);
  return file as FlagFile;
};

describe('features of Unleash', () => {
  it('are on for the same contexts as in its own client', async () => {
    const file = fileOf(importUnleash(JSON.stringify(STATE)));
    await withUnleash(STATE, (client) => {
      const there = FEATURES.flatMap(({ name }) =>
        CONTEXTS.map(
          (context) =>
            `${name} ${JSON.stringify(context)} ${client.isEnabled(String(name), context as never)}`,
        ),
      );
      const here = FEATURES.flatMap(({ name }) =>
        CONTEXTS.map(
          (context) => `${name} ${JSON.stringify(context)} ${served(file, String(name), context) === 'on'}`,
        ),
      );
      expect(here).toEqual(there);
      expect(there.filter((line) => line.endsWith('true')).length).toBeGreaterThan(50);
    });
  });

  it('say what was left out: the place, why, and the mend', () => {
    const { report } = importUnleash(JSON.stringify(STATE, null, 1));
    const why = (flag: string): string =>
      report.notCarried
        .filter((item) => item.flag === flag)
        .map((item) => `${item.place}: ${item.why}`)
        .join();
    expect(why('regex')).toMatch(/strategies\[0\]\.constraints\[0\]: flagd has no regular expressions/);
    expect(why('invented')).toMatch(/strategies\[0\]: the strategy "moon-phase"/);
    expect(why('segment-lost')).toMatch(/segment 8/);
    expect(why('orphan')).toMatch(/"gone", which is not in the file/);
    expect(why('off')).toMatch(/default in the code/);
    for (const { line, mend } of report.notCarried) expect([line > 1, mend !== '']).toEqual([true, true]);
  });

  it('count who changes variant by what Unleash’s own client says', async () => {
    const keys = Array.from({ length: 400 }, (_, i) => `user-${i}`);
    const variants = [
      { name: 'red', weight: 250 },
      { name: 'green', weight: 0 },
      { name: 'blue', weight: 750 },
    ];
    const state = {
      version: 2,
      features: [feature('quarter', [rollout(25)]), feature('split', [strategy('default')], { variants })],
    };
    const { file, report } = importUnleash(JSON.stringify(state), { keys });
    const changed = await withUnleash(state, (client) => ({
      quarter: keys.filter(
        (userId) =>
          (served(file as FlagFile, 'quarter', { userId }) === 'on') !==
          client.isEnabled('quarter', { userId }),
      ).length,
      split: keys.filter(
        (userId) =>
          served(file as FlagFile, 'split.variant', { userId }) !==
          client.getVariant('split', { userId }).name,
      ).length,
    }));
    expect(report.variantChanges.map(({ flag, keys: of, changed: moved }) => ({ flag, of, moved }))).toEqual([
      { flag: 'quarter', of: 400, moved: changed.quarter },
      { flag: 'split.variant', of: 400, moved: changed.split },
    ]);
    // Two draws that know nothing of each other: 2 · ¼ · ¾ of all.
    expect(changed.quarter / 400).toBeGreaterThan(0.28);
    expect(changed.quarter / 400).toBeLessThan(0.47);
  });

  it('change variant for nobody at 0 % and 100 %', () => {
    const { report } = importUnleash(
      JSON.stringify({ features: [feature('a', [rollout(0)]), feature('b', [rollout(100)])] }),
    );
    expect(report.variantChanges.map(({ changed }) => changed)).toEqual([0, 0]);
  });

  it('that shared a group share their buckets in seed-compatible mode only', () => {
    const state = {
      features: [
        feature('a', [rollout(30, 'userId', 'both')]),
        feature('b', [rollout(60, 'userId', 'both')]),
      ],
    };
    const outside = (isSeedCompatible: boolean): number => {
      const { file } = importUnleash(JSON.stringify(state), { isSeedCompatible });
      return Array.from({ length: 500 }, (_, i) => ({ userId: `u${i}` })).filter(
        (context) =>
          served(file as FlagFile, 'a', context) === 'on' && served(file as FlagFile, 'b', context) !== 'on',
      ).length;
    };
    // In Unleash whoever is in 30 % of a group is in its 60 % too.
    expect(outside(true)).toBe(0);
    expect(outside(false)).toBeGreaterThan(0);
  });

  it('move fewer of the given keys under the best seed found', () => {
    const keys = Array.from({ length: 30 }, (_, i) => `host-${i}`);
    const moved = (isSeedCompatible: boolean): number =>
      importUnleash(JSON.stringify({ features: [feature('a', [rollout(50)])] }), { keys, isSeedCompatible })
        .report.variantChanges[0]?.changed ?? -1;
    expect(moved(true)).toBeGreaterThanOrEqual(0);
    expect(moved(true)).toBeLessThan(moved(false));
    expect(moved(true)).toBeLessThanOrEqual(8);
  });

  it('change variant for none of the keys that are pinned', async () => {
    const keys = Array.from({ length: 60 }, (_, i) => `host-${i}`);
    const variants = [
      { name: 'red', weight: 500 },
      { name: 'blue', weight: 500 },
    ];
    const state = {
      version: 2,
      features: [
        feature('half', [rollout(50)]),
        feature('split', [strategy('default')], { variants }),
        feature('both', [strategy('userWithId', { userIds: 'host-3' }), rollout(20)]),
      ],
    };
    const { file, report } = importUnleash(JSON.stringify(state), { keys, pinsKeys: true });
    expect(report.variantChanges.map(({ changed, pinned }) => [changed, pinned > 0])).toEqual([
      [0, true],
      [0, true],
      [0, true],
    ]);
    expect(checkFlagFile(file as FlagFile)).toEqual([]);
    await withUnleash(state, (client) => {
      for (const userId of keys) {
        for (const name of ['half', 'both'])
          expect([name, userId, served(file as FlagFile, name, { userId }) === 'on']).toEqual([
            name,
            userId,
            client.isEnabled(name, { userId }),
          ]);
        expect(served(file as FlagFile, 'split.variant', { userId })).toBe(
          client.getVariant('split', { userId }).name,
        );
      }
    });
  });

  it('with variants give the variants of strategies, and overrides first', async () => {
    const own = [
      { name: 'mine', weight: 1000, stickiness: 'default', payload: { type: 'number', value: '2' } },
    ];
    const variants = [
      { name: 'one', weight: 1000, payload: { type: 'number', value: '1' }, overrides: [] },
      {
        name: 'zero',
        weight: 0,
        payload: { type: 'number', value: '0' },
        overrides: [{ contextName: 'userId', values: ['zed'] }],
      },
    ];
    const debian = [{ contextName: 'os', operator: 'IN', values: ['debian'] }];
    const state = {
      version: 2,
      features: [
        feature(
          'mixed',
          [
            strategy('default', { groupId: 'g' }, { constraints: debian, variants: own }),
            strategy('userWithId', { userIds: 'ann,zed' }),
          ],
          { variants },
        ),
        feature('bare', [
          strategy('userWithId', { userIds: 'ann' }),
          strategy('default', { groupId: 'g' }, { variants: own }),
        ]),
      ],
    };
    const file = fileOf(importUnleash(JSON.stringify(state)));
    expect(file.flags['mixed.variant']?.variants).toEqual({ one: 1, zero: 0, mine: 2 });
    const contexts = [
      {},
      { userId: 'ann' },
      { userId: 'zed' },
      { userId: 'zed', properties: { os: 'debian' } },
      { userId: 'eve' },
    ];
    await withUnleash(state, (client) => {
      for (const name of ['mixed', 'bare'])
        for (const context of contexts) {
          const there = client.getVariant(name, context);
          expect([name, context, served(file, `${name}.variant`, context)]).toEqual([
            name,
            context,
            there.enabled ? there.name : expectedWithout(there.name),
          ]);
        }
    });
  });

  it('have their variants once, though older exports name them twice', () => {
    const variants = [
      { name: 'x', weight: 500 },
      { name: 'y', weight: 500 },
    ];
    const { file } = importUnleash(
      JSON.stringify({
        features: [{ name: 'a', enabled: true, variants }],
        featureEnvironments: [{ featureName: 'a', environment: 'prod', enabled: true, variants }],
        featureStrategies: [
          { featureName: 'a', environment: 'prod', strategyName: 'default', parameters: {} },
        ],
      }),
    );
    expect(file?.flags['a.variant']?.fallthrough).toMatchObject({
      split: [
        { variant: 'x', weightPpm: 500_000 },
        { variant: 'y', weightPpm: 500_000 },
      ],
    });
  });

  it('of an export with several environments need one to be named', () => {
    const text = JSON.stringify({
      features: [{ name: 'a', type: 'kill-switch', description: 'guards' }],
      featureEnvironments: [
        { featureName: 'a', environment: 'dev', enabled: false },
        { featureName: 'a', environment: 'prod', enabled: true },
      ],
      featureStrategies: [
        {
          featureName: 'a',
          environment: 'prod',
          name: 'userWithId',
          parameters: { userIds: 'ann' },
          constraints: [],
          sortOrder: 1,
        },
        { featureName: 'a', environment: 'dev', name: 'default', parameters: {}, constraints: [] },
      ],
      featureTags: [{ featureName: 'a', tagType: 'simple', tagValue: 'core' }],
      segments: [],
    });
    expect(importUnleash(text).problems).toMatchObject([
      { message: expect.stringMatching(/2 environments/), mend: expect.stringMatching(/dev, prod/) },
    ]);
    expect(importUnleash(text, { environment: 'prod' }).file?.flags.a).toEqual({
      description: 'guards',
      type: 'kill-switch',
      tags: ['simple:core'],
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      overridable: 'none',
      rules: [
        {
          name: 'userWithId 2',
          when: { in: [{ var: 'targetingKey' }, ['ann']] } as JsonValue,
          serve: { variant: 'on' },
        },
      ].map((rule) => ({ ...rule, name: expect.stringMatching(/^userWithId/) })),
    });
    expect(importUnleash(text, { environment: 'dev' }).file?.flags.a?.state).toBe('DISABLED');
  });
});

/** Unleash calls "no variant" a disabled one; here the default in the code is served. */
const expectedWithout = (name: string): undefined => {
  expect(name).toBe('disabled');
  return undefined;
};
