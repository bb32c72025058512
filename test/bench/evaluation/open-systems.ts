import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { floor } from './floor.js';
import type { System } from './system.js';
import { configCat } from './systems/configcat.js';
import { flagdCore, flagdCoreProvider } from './systems/flagd-core.js';
import { growthBook } from './systems/growthbook.js';
import { headgate } from './systems/headgate.js';
import { headgateSdk } from './systems/headgate-sdk.js';
import { launchDarkly } from './systems/launchdarkly.js';
import { noOpProvider, openFeature } from './systems/openfeature.js';
import { unleashClient } from './systems/unleash-client.js';

/** Of the clone that runs this. */
const versionOf = (name: string): string => {
  const file = name === 'headgate' ? 'package.json' : join('node_modules', name, 'package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
};

/** Every system, ready; the real ones beside the floor and the SDKs around them. */
export const openSystems = async (): Promise<readonly System[]> => {
  const ours = versionOf('headgate');
  const sdk = versionOf('@openfeature/server-sdk');
  const core = versionOf('@openfeature/flagd-core');
  const noOp = await openFeature('no-op provider', sdk, noOpProvider);
  const systems = [
    headgate(ours),
    floor(),
    flagdCore(core),
    await unleashClient(versionOf('unleash-client')),
    await launchDarkly(versionOf('@launchdarkly/node-server-sdk')),
    growthBook(versionOf('@growthbook/growthbook')),
    await configCat(versionOf('configcat-node')),
    { ...noOp, evaluates: false },
    await openFeature('flagd-core', `${sdk} / ${core}`, flagdCoreProvider()),
    ...(await headgateSdk(ours)),
  ];
  return systems as readonly System[];
};
