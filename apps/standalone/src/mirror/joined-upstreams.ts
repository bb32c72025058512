import { readFileSync } from 'node:fs';
import { writePrivateFile } from '@headgate/embedded';
import { ConfigError } from '@headgate/service-kit';
import { z } from 'zod';
import { type UpstreamBundle, upstreamBundle } from './upstream-bundle.js';

/** Upstreams joined at earlier starts and those named now; a bundle given again replaces the old one of its name. */
export const upstreamsOf = (
  file: string,
  named: readonly UpstreamBundle[],
): { readonly all: readonly UpstreamBundle[]; readonly fresh: ReadonlySet<string> } => {
  const joined = readJoined(file);
  const changed = named.filter((bundle) => {
    const before = joined.find(({ name }) => name === bundle.name);
    return !before || JSON.stringify(before) !== JSON.stringify(bundle);
  });
  const fresh = new Set(changed.map(({ name }) => name));
  return { all: [...joined.filter(({ name }) => !fresh.has(name)), ...changed], fresh };
};

export const rememberUpstreams = (file: string, all: readonly UpstreamBundle[]): void =>
  writePrivateFile(file, `${JSON.stringify(all, null, 2)}\n`);

const readJoined = (file: string): readonly UpstreamBundle[] => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
  const parsed = z.array(upstreamBundle).safeParse(jsonOrNull(text));
  if (parsed.success) return parsed.data;
  throw new ConfigError([`${file} is damaged: remove it and start once with --upstream for each upstream.`]);
};

const jsonOrNull = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};

/** An installation and an upstream of one name would both own the subjects of that name. */
export const installationName = (
  wanted: string | undefined,
  upstreams: readonly UpstreamBundle[],
): string => {
  const name = wanted ?? upstreams[0]?.vendor ?? 'headgate';
  if (!upstreams.some((upstream) => upstream.name === name)) return name;
  throw new ConfigError([`HEADGATE_NAME: "${name}" is the name of an upstream; choose another with --name.`]);
};
