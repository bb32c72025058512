import { slug } from '@headgate/contracts';
import type { HeadgateOptions, Settings } from './options.js';

export type ReadOptions =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly message: string };

type Environment = Readonly<Record<string, string | undefined>>;

const HOUR_MS = 3_600_000;
const POLL_EVERY_MS = 15_000;

class OptionWrong extends Error {}

/** Options as the application passed them, whatever they are. Never throws: it says which one is wrong, and what it should be. */
export const readOptions = (options: unknown, env: Environment): ReadOptions => {
  try {
    if (options === null || typeof options !== 'object') throw new OptionWrong('options must be an object');
    return { ok: true, settings: read(options as Partial<HeadgateOptions>, env) };
  } catch (error) {
    return { ok: false, message: describe(error) };
  }
};

export const describe = (error: unknown): string => {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'an error that cannot be described';
  }
};

const read = (options: Partial<HeadgateOptions>, env: Environment): Settings => {
  const base = httpUrl('url', options.url ?? env.HEADGATE_FLAGS_URL);
  const project = named('project', options.project);
  const channel = named('channel', options.channel);
  const reports = options.telemetryUrl ?? env.HEADGATE_TELEMETRY_URL;
  return {
    flagsUrl: below(base, `flags/${project}/${channel}/`),
    reportsUrl:
      options.telemetry === false
        ? null
        : below(reports === undefined ? base : httpUrl('telemetryUrl', reports), 'telemetry/v1/reports'),
    project,
    channel,
    root: matching('root', options.root, /^sha256:[0-9a-f]{64}$/, 'sha256:<64 hex digits>'),
    instanceId: text('instanceId', options.instanceId),
    siteSalt: optionalText('siteSalt', options.siteSalt),
    dataDir: optionalText('dataDir', options.dataDir),
    version: versionOf(options.version),
    token: optionalText('token', options.token ?? env.HEADGATE_TOKEN) ?? undefined,
    reportEveryMs: interval('reportEveryMs', options.reportEveryMs, HOUR_MS),
    pollEveryMs: interval('pollEveryMs', options.pollEveryMs, POLL_EVERY_MS),
    attributes: attributesOf(options.attributes),
  };
};

const below = (base: URL, path: string): URL =>
  new URL(base.pathname.endsWith('/') ? path : `${base.pathname.split('/').at(-1)}/${path}`, base);

const httpUrl = (name: string, value: unknown): URL => {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new OptionWrong(`${name} must be an http or https address`);
  }
  return url;
};

const text = (name: string, value: unknown): string => {
  if (typeof value !== 'string' || value === '' || value.length > 4_096) {
    throw new OptionWrong(`${name} must be a text of 1 to 4096 characters`);
  }
  return value;
};

const optionalText = (name: string, value: unknown): string | null =>
  value === undefined || value === null ? null : text(name, value);

const named = (name: string, value: unknown): string => {
  const parsed = slug.safeParse(value);
  if (!parsed.success) throw new OptionWrong(`${name} ${parsed.error.issues[0]?.message}`);
  return parsed.data;
};

const matching = (name: string, value: unknown, pattern: RegExp, shape: string): string => {
  if (typeof value !== 'string' || !pattern.test(value)) throw new OptionWrong(`${name} must be ${shape}`);
  return value;
};

const versionOf = (value: unknown): Settings['version'] => {
  if (value === undefined) return { upstream: 'unknown' };
  if (typeof value === 'string') return { upstream: limited('version', value) };
  const { upstream, vendor, patches } = (value ?? {}) as Partial<Settings['version']>;
  return {
    upstream: limited('version.upstream', upstream),
    ...(vendor === undefined ? {} : { vendor: limited('version.vendor', vendor) }),
    ...(Array.isArray(patches)
      ? { patches: patches.slice(0, 50).map((patch) => limited('version.patches', patch)) }
      : {}),
  };
};

const limited = (name: string, value: unknown): string => text(name, value).slice(0, 100);

const interval = (name: string, value: unknown, otherwise: number): number => {
  if (value === undefined) return otherwise;
  if (typeof value !== 'number' || !(value >= 1_000) || value > 24 * HOUR_MS) {
    throw new OptionWrong(`${name} must be a number from 1000 to 86400000`);
  }
  return value;
};

const attributesOf = (value: unknown): Settings['attributes'] => {
  if (value === undefined) return {};
  if (value === null || typeof value !== 'object') throw new OptionWrong('attributes must be an object');
  const entries = Object.entries(value);
  for (const [name, attribute] of entries) {
    if (name in Object.prototype) throw new OptionWrong(`attributes.${name} is a name that every object has`);
    if (!['string', 'number', 'boolean'].includes(typeof attribute)) {
      throw new OptionWrong(`attributes.${name} must be a text, a number or a boolean`);
    }
  }
  return Object.fromEntries(entries) as Settings['attributes'];
};
