import { HeadgateClient } from './client.js';
import { type Environment, machineEnvironment } from './environment.js';
import type { Headgate } from './headgate.js';
import { inertHeadgate } from './inert-headgate.js';
import type { HeadgateOptions } from './options/options.js';
import { describe, readOptions } from './options/read-options.js';

/**
 * Starts following a channel and returns at once; flags of the local copy are in force already. Never throws: options that
 * are of no use give a client that serves the defaults in the code and says why in `status()`.
 */
export const connectHeadgate = (
  options: HeadgateOptions,
  environment: Environment = machineEnvironment,
): Headgate => {
  const read = readOptions(options, environment.variables);
  if (!read.ok) return inertHeadgate(environment.now(), read.message);
  try {
    return new HeadgateClient(read.settings, environment);
  } catch (error) {
    return inertHeadgate(environment.now(), describe(error));
  }
};
