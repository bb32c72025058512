import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { CommandFailed, EXIT, usageError } from '../exit.js';
import { readStdin, type Terminal } from '../terminal.js';

export const OUTPUTS = ['table', 'json', 'name'] as const;
export type Output = (typeof OUTPUTS)[number];

/** A settings file: of a project (`.headgate/cli.json`, looked for upwards) or of a user. Tokens are never in it, only where they are. */
const settingsFile = z.strictObject({
  server: z.url({ protocol: /^https?$/ }).optional(),
  tokenFile: z.string().min(1).optional(),
  project: z.string().min(1).optional(),
  channel: z.string().min(1).optional(),
  output: z.enum(OUTPUTS).optional(),
});
type SettingsFile = z.infer<typeof settingsFile>;

/** Options that every command takes. */
export interface GlobalOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly project?: string;
  readonly channel?: string;
  readonly output?: string;
}

export interface Settings {
  /** Throws when none is named: some commands need none. */
  readonly server: () => string;
  readonly output: Output;
  readonly project: string | undefined;
  readonly channel: string | undefined;
  /** Read when first needed, because it may come from stdin. */
  readonly token: () => Promise<string>;
}

/** Flag > environment > project file > user file > default. */
export const findSettings = (terminal: Terminal, options: GlobalOptions): Settings => {
  const { env } = terminal;
  const files = [projectFile(terminal.cwd), join(configHome(terminal), 'headgate', 'cli.json')].flatMap(
    (path) => (path === undefined ? [] : [readSettingsFile(path)]),
  );
  const pick = (key: Exclude<keyof SettingsFile, 'tokenFile'>): string | undefined =>
    options[key] ??
    notEmpty(env[`HEADGATE_${key.toUpperCase()}`]) ??
    files.map((file) => file[key]).find(Boolean);
  const output = pick('output') ?? 'table';
  if (!OUTPUTS.includes(output as Output)) {
    throw usageError(`output "${output}" is not known`, `Use one of ${OUTPUTS.join(', ')}.`);
  }
  return {
    server: () => serverOf(pick('server')),
    output: output as Output,
    project: pick('project'),
    channel: pick('channel'),
    token: () => readToken(terminal, options, files),
  };
};

const serverOf = (server: string | undefined): string => {
  if (server === undefined) {
    throw usageError(
      'no server named',
      'Run this where `npm start` runs, or name a server with --server or HEADGATE_SERVER.',
    );
  }
  if (!/^https?:\/\//.test(server) || !URL.canParse(server)) {
    throw usageError(
      `server "${server}" is not an http(s) address`,
      'Set --server or HEADGATE_SERVER to one.',
    );
  }
  return server.replace(/\/+$/, '');
};

const notEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

const configHome = ({ env, home }: Terminal): string =>
  notEmpty(env.XDG_CONFIG_HOME) ?? join(home, '.config');

const projectFile = (folder: string): string | undefined => {
  const path = join(folder, '.headgate', 'cli.json');
  if (readOrNull(path) !== null) return path;
  const above = dirname(folder);
  return above === folder ? undefined : projectFile(above);
};

const readOrNull = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new CommandFailed(
      EXIT.invalid,
      `${path} cannot be read (${code})`,
      'Make the file readable, or remove it.',
    );
  }
};

const readSettingsFile = (path: string): SettingsFile => {
  const text = readOrNull(path);
  if (text === null) return {};
  const parsed = settingsFile.safeParse(parseJson(text, path));
  if (!parsed.success) {
    const lines = parsed.error.issues.map(
      ({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`,
    );
    throw new CommandFailed(
      EXIT.invalid,
      `${path} is not a settings file`,
      'Mend or remove the named fields.',
      lines,
    );
  }
  const { tokenFile } = parsed.data;
  if (tokenFile === undefined || isAbsolute(tokenFile)) return parsed.data;
  return { ...parsed.data, tokenFile: resolve(dirname(path), tokenFile) };
};

const parseJson = (text: string, path: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new CommandFailed(
      EXIT.invalid,
      `${path} is not JSON: ${(cause as Error).message}`,
      'Mend or remove it.',
    );
  }
};

/** Never from the command line's arguments: those are seen by every process and kept in shells' histories. */
const readToken = async (
  terminal: Terminal,
  options: GlobalOptions,
  files: readonly SettingsFile[],
): Promise<string> => {
  const { env } = terminal;
  if (options.tokenFile === '-') return tokenIn(await readStdin(terminal), 'stdin');
  if (options.tokenFile !== undefined) return tokenInFile(resolve(terminal.cwd, options.tokenFile));
  if (notEmpty(env.HEADGATE_TOKEN)) return tokenIn(env.HEADGATE_TOKEN ?? '', 'HEADGATE_TOKEN');
  const path = notEmpty(env.HEADGATE_TOKEN_FILE) ?? files.map(({ tokenFile }) => tokenFile).find(Boolean);
  if (path !== undefined) return tokenInFile(resolve(terminal.cwd, path));
  throw new CommandFailed(
    EXIT.notAllowed,
    'no token',
    'Set HEADGATE_TOKEN, or --token-file FILE (- for stdin). Lost it? `headgate token recover` on the server.',
  );
};

const tokenInFile = (path: string): string => {
  const text = readOrNull(path);
  if (text !== null) return tokenIn(text, path);
  throw new CommandFailed(
    EXIT.notAllowed,
    `token file ${path} does not exist`,
    'Name a file that holds a token.',
  );
};

const tokenIn = (text: string, where: string): string => {
  const token = text.trim();
  if (/^[\x21-\x7e]{1,512}$/.test(token)) return token;
  throw new CommandFailed(
    EXIT.notAllowed,
    `${where} holds no token`,
    'A token is one line that starts with hg_.',
  );
};
