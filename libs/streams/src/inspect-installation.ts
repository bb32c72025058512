import { type InstallationOptions, installationStreams } from './declare-installation.js';
import { differencesFrom } from './stream-config.js';
import type { StreamDescription, Streams } from './streams.js';

/** One stream as found. `unknown`: this connection may not look, or the server hides it; that is not the same as well. */
export type InspectedStream =
  | { readonly name: string; readonly state: 'as-declared'; readonly stream: StreamDescription }
  | {
      readonly name: string;
      readonly state: 'not-as-declared';
      readonly stream: StreamDescription;
      readonly differences: readonly string[];
    }
  | { readonly name: string; readonly state: 'missing' }
  | { readonly name: string; readonly state: 'unknown'; readonly why: string };

/** Compares what the server has with what `declareInstallation` would declare. Changes nothing, and never throws. */
export const inspectInstallation = (
  streams: Pick<Streams, 'info'>,
  options: InstallationOptions,
): Promise<readonly InspectedStream[]> =>
  Promise.all(
    installationStreams(options).map(async (declaration): Promise<InspectedStream> => {
      const { name } = declaration;
      try {
        const stream = await streams.info(name);
        if (stream === null) return { name, state: 'missing' };
        const differences = differencesFrom(declaration, stream.config);
        return differences.length === 0
          ? { name, state: 'as-declared', stream }
          : { name, state: 'not-as-declared', stream, differences };
      } catch (error) {
        return { name, state: 'unknown', why: (error as Error).message };
      }
    }),
  );
