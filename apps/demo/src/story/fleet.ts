import { randomBytes } from 'node:crypto';
import { type Child, forkChild } from '../fleet/child.js';
import type { InstanceTally } from '../fleet/messages.js';
import type { Installation } from './installation.js';
import { CHANNEL, FLEET, PROJECT, REPORT_EVERY_MS } from './settings.js';

/** Worker processes full of instances that hang on one installation's gateway and collector. */
export interface Fleet {
  readonly ports: readonly number[];
  tallies(): Promise<readonly InstanceTally[]>;
  stop(): Promise<void>;
}

export interface FleetOptions {
  readonly at: Installation;
  /** Of the project's upstream, wherever the instances hang. */
  readonly rootPin: string;
  readonly telemetryToken: string;
  readonly workers: number;
  readonly dataDir: string;
}

export const startFleet = async ({
  at,
  rootPin,
  telemetryToken,
  workers,
  dataDir,
}: FleetOptions): Promise<Fleet> => {
  const siteSalt = randomBytes(32).toString('hex');
  const children: Child[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
  };
  try {
    const ports = await Promise.all(
      Array.from({ length: workers }, async (_, worker) => {
        const child = forkChild(
          new URL('../fleet/worker.js', import.meta.url),
          `${at.name} worker ${worker + 1}`,
        );
        children.push(child);
        const instanceIds = Array.from(
          { length: FLEET.instancesPerWorker },
          (_, index) => `${at.name}-${worker * FLEET.instancesPerWorker + index + 1}`,
        );
        const { port } = await child.ask(
          {
            type: 'start-fleet',
            config: {
              gatewayUrl: at.url,
              telemetryUrl: at.url,
              telemetryToken,
              project: PROJECT,
              channel: CHANNEL,
              rootPin,
              siteSalt,
              dataDir: `${dataDir}/${at.name}-instances`,
              reportEveryMs: REPORT_EVERY_MS,
              instanceIds,
            },
          },
          'ready',
        );
        return port;
      }),
    );
    const tallies = async (): Promise<readonly InstanceTally[]> =>
      (await Promise.all(children.map((child) => child.ask({ type: 'tally' }, 'tally')))).flatMap(
        ({ instances }) => instances,
      );
    return { ports, tallies, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

export interface Load {
  counts(): Promise<{ readonly sent: number; readonly answered: number; readonly failed: number }>;
  stop(): Promise<void>;
}

export const startLoad = async (ports: readonly number[], seed: number): Promise<Load> => {
  const child = forkChild(new URL('../fleet/load.js', import.meta.url), 'customers');
  const targets = ports.map((port) => ({ port, instances: FLEET.instancesPerWorker }));
  await child.ask(
    { type: 'start-load', config: { targets, perInstancePerSecond: FLEET.perInstancePerSecond, seed } },
    'ready',
  );
  return { counts: () => child.ask({ type: 'tally' }, 'load'), stop: () => child.stop() };
};
