import { join, resolve } from 'node:path';
import { privateFolder } from '@headgate/embedded';

/** Where everything lies below the one folder of an installation. */
export interface DataFolder {
  readonly root: string;
  readonly nats: string;
  readonly postgres: string;
  readonly keys: string;
  readonly snapshots: string;
  readonly gateway: string;
  readonly analyses: string;
  readonly run: string;
  readonly secrets: string;
  readonly upstreams: string;
  readonly config: string;
  readonly cliSettings: string;
}

/** Makes the folders, each open to its owner only. */
export const openDataFolder = (path: string): DataFolder => {
  const root = resolve(path);
  const folder: DataFolder = {
    root,
    nats: join(root, 'nats'),
    postgres: join(root, 'postgres'),
    keys: join(root, 'keys'),
    snapshots: join(root, 'snapshots'),
    gateway: join(root, 'gateway'),
    analyses: join(root, 'analyses'),
    run: join(root, 'run'),
    secrets: join(root, 'keys', 'secrets.json'),
    upstreams: join(root, 'upstreams.json'),
    config: join(root, 'config.json'),
    cliSettings: join(root, 'cli.json'),
  };
  for (const sub of [root, folder.keys, folder.snapshots, folder.gateway, folder.analyses, folder.run]) {
    privateFolder(sub);
  }
  return folder;
};
