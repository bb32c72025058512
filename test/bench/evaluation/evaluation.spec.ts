import { floor } from './floor.js';
import { answersOf, measure } from './measure.js';
import { openSystems } from './open-systems.js';
import { CASES, subjects } from './subject.js';
import type { System } from './system.js';
import { headgate } from './systems/headgate.js';

describe('npm run bench -- evaluation', () => {
  let systems: readonly System[];
  beforeAll(async () => {
    systems = await openSystems();
  });
  afterAll(async () => {
    await Promise.all(systems.map(({ close }) => close?.()));
  });

  it('asks ten real systems beside the floor, each of which evaluates all three flags', async () => {
    expect(systems.map(({ system }) => system)).toEqual([
      'headgate',
      'floor',
      '@openfeature/flagd-core',
      'unleash-client',
      '@launchdarkly/node-server-sdk',
      '@growthbook/growthbook',
      'configcat-node',
      'openfeature sdk + no-op provider',
      'openfeature sdk + flagd-core',
      'headgate sdk, counting exposures',
      'openfeature sdk + headgate',
    ]);
    for (const system of systems) {
      // throws where the share of contexts that are on is not the flag's
      for (const name of CASES) await answersOf(system, name, 2_048);
    }
  }, 120_000);

  it('gives each context the same answer from Headgate in every form, from flagd-core, and from the floor', async () => {
    const alike = systems.filter(
      ({ system }) => system === 'floor' || system.includes('headgate') || system.includes('flagd-core'),
    );
    expect(alike).toHaveLength(6);
    for (const name of CASES) {
      const answers = await Promise.all(
        alike.map(async ({ ask, contextOf }) => {
          const { [name]: asked } = ask;
          const given = subjects().slice(0, 200).map(contextOf);
          const one = 'sync' in asked ? asked.sync : asked.async;
          return Promise.all(given.map((context) => one(context)));
        }),
      );
      for (const each of answers) expect(each).toEqual(answers[0]);
    }
  }, 120_000);

  it('refuses a system that only pretends to evaluate', async () => {
    const real = headgate('0');
    const pretender = { ...real, ask: { ...real.ask, split: { sync: () => true } } } as System;
    await expect(answersOf(pretender, 'split')).rejects.toThrow('headgate: split is on for 100.00 %');
  });

  it('makes one row of each system and case', async () => {
    const rows = await measure([floor(), headgate('0')] as readonly System[], {
      rounds: 1,
      roundMs: 1,
      heapSamples: 1,
    });
    expect(rows.map(({ system, case: name }) => `${system} ${name}`)).toEqual(
      ['floor', 'headgate'].flatMap((system) => CASES.map((name) => `${system} ${name}`)),
    );
    for (const row of rows) {
      expect(Object.keys(row)).toEqual([
        ...['system', 'version', 'case', 'nsPerOp', 'opsPerSecond', 'bytesPerOp', 'onPercent'],
      ]);
    }
  }, 120_000);
});
