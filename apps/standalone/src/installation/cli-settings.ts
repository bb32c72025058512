import { existsSync, readFileSync } from 'node:fs';
import { writePrivateFile } from '@headgate/embedded';
import type { Log } from '@headgate/service-kit';

/** Tells the command line where this installation serves; what else stands in the file stays. A damaged file is left to its owner. */
export const noteServer = (file: string, url: string, log: Log): void => {
  const settings = existsSync(file) ? readSettings(file) : {};
  if (settings === null) {
    log.warn('the settings of the command line are damaged; mend or remove the file', { file });
    return;
  }
  if (settings.server === url) return;
  writePrivateFile(file, `${JSON.stringify({ ...settings, server: url }, null, 2)}\n`);
};

const readSettings = (file: string): Record<string, unknown> | null => {
  try {
    const settings: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof settings === 'object' && settings !== null && !Array.isArray(settings)
      ? (settings as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
};
