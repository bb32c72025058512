import { existsSync, readFileSync } from 'node:fs';
import { writePrivateFile } from '@headgate/embedded';
import type { Log } from '@headgate/service-kit';

/** Tells the command line where this installation serves; what else stands in the file stays. A damaged file is left to its owner. */
export const noteServer = (file: string, url: string, log: Log): void => {
  let settings: Record<string, unknown> = {};
  if (existsSync(file)) {
    try {
      settings = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    } catch (cause) {
      log.warn('the settings of the command line are damaged; mend or remove the file', {
        file,
        error: cause,
      });
      return;
    }
  }
  if (settings.server === url) return;
  writePrivateFile(file, `${JSON.stringify({ ...settings, server: url }, null, 2)}\n`);
};
