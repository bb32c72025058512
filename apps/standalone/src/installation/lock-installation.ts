import { join } from 'node:path';
import { type DataLock, lockData } from '@headgate/embedded';
import type { Closers } from './closers.js';
import type { DataFolder } from './data-folder.js';

/** One process per installation. Throws `DataDirectoryInUse`, whose message says who has it and where it answers. */
export const lockInstallation = async (
  folder: DataFolder,
  now: () => number,
  closers: Closers,
): Promise<DataLock> => {
  const lock = await lockData({
    path: join(folder.run, 'headgate.lock'),
    what: `The installation in ${folder.root}`,
    now,
    // Servers of a process that was killed have locks of their own, and are waited for there.
    patienceMs: 0,
  });
  closers.add('lock', () => lock.release());
  return lock;
};
