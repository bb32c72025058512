import { randomBytes } from 'node:crypto';

/** What the client takes from the machine; specs hand in their own. */
export interface Environment {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** 0 to 1, for jitter. */
  readonly random: () => number;
  /** 32 random hex digits. */
  readonly newId: () => string;
  readonly os: string;
  readonly arch: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export const machineEnvironment: Environment = {
  now: Date.now,
  random: Math.random,
  newId: () => randomBytes(16).toString('hex'),
  os: process.platform,
  arch: process.arch,
  variables: process.env,
};
