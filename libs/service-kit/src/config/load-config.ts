import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { redact } from '../log/redact.js';
import { ConfigError } from './config-error.js';
import { envName, fieldMeta, readEnvValue } from './env-name.js';

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A JSON file with the schema's own field names; absent or missing: environment and defaults only. */
  readonly file?: string;
  /** From the command line: wins over everything. */
  readonly flags?: Readonly<Record<string, unknown>>;
}

export interface LoadedConfig<T> {
  readonly value: T;
  /** What is in force and where it came from, safe to print: secrets are left out. */
  readonly effective: Readonly<Record<string, { readonly value: unknown; readonly from: ConfigOrigin }>>;
}
export type ConfigOrigin = 'flag' | 'env' | 'file' | 'default';

/**
 * Flag > environment > file > default, checked by `schema`. A variable may also be given as `<NAME>_FILE`, whose file holds the
 * value (for secrets). Throws `ConfigError` with every fault at once.
 */
export const loadConfig = <S extends z.ZodObject>(
  schema: S,
  sources: ConfigSources,
): LoadedConfig<z.infer<S>> => {
  const problems: string[] = [];
  const file = sources.file === undefined ? {} : readConfigFile(sources.file, problems);
  const fields = schema.shape as Readonly<Record<string, z.ZodType>>;
  for (const key of Object.keys(file)) {
    if (!Object.hasOwn(fields, key)) problems.push(`${sources.file}: unknown field "${key}"; remove it.`);
  }
  const given: Record<string, unknown> = {};
  const origins: Record<string, ConfigOrigin> = {};
  for (const [key, field] of Object.entries(fields)) {
    const text = envText(envName(key, field), sources.env, problems);
    if (sources.flags?.[key] !== undefined) [given[key], origins[key]] = [sources.flags[key], 'flag'];
    else if (text !== undefined) [given[key], origins[key]] = [readEnvValue(text, field), 'env'];
    else if (Object.hasOwn(file, key)) [given[key], origins[key]] = [file[key], 'file'];
    else origins[key] = 'default';
  }
  const parsed = schema.safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    const key = String(issue.path[0] ?? '');
    const field = fields[key];
    const name = field ? envName(key, field) : key;
    const where = origins[key] === 'file' ? `field "${issue.path.join('.')}" of ${sources.file}` : name;
    problems.push(`${where}: ${issue.message}. Set ${name}, or "${key}" in the configuration file.`);
  }
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems);
  const value = parsed.data as z.infer<S>;
  return { value, effective: describe(fields, value as Record<string, unknown>, origins) };
};

const describe = (
  fields: Readonly<Record<string, z.ZodType>>,
  value: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, ConfigOrigin>>,
): LoadedConfig<unknown>['effective'] =>
  Object.fromEntries(
    Object.entries(fields).map(([key, field]) => [
      key,
      {
        value:
          fieldMeta(field).secret && value[key] !== undefined
            ? '[redacted]'
            : redact({ [key]: value[key] })[key],
        from: origins[key] ?? 'default',
      },
    ]),
  );

const envText = (name: string, env: ConfigSources['env'], problems: string[]): string | undefined => {
  // An empty variable is how compose files and shells say "not set".
  if (env[name] !== undefined && env[name] !== '') return env[name];
  const path = env[`${name}_FILE`];
  if (path === undefined || path === '') return undefined;
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    problems.push(`${name}_FILE: cannot read ${path} (${errorCode(cause)}); make the file readable.`);
    return undefined;
  }
};

const readConfigFile = (path: string, problems: string[]): Record<string, unknown> => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return {};
    problems.push(`${path}: cannot be read (${errorCode(cause)}); make the file readable.`);
    return {};
  }
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
      return content as Record<string, unknown>;
    }
    problems.push(`${path}: must hold one JSON object.`);
  } catch (cause) {
    problems.push(`${path}: is not JSON (${(cause as Error).message}); mend it or remove it.`);
  }
  return {};
};

const errorCode = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? String(cause);
