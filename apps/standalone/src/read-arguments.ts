import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigError } from '@headgate/service-kit';

export const USAGE = `usage: npm start -- [--data-dir FOLDER] [--name NAME] [--host HOST] [--port PORT]
                    [--upstream BUNDLE.json]… [--ready-file FILE] [--json]

Starts a whole Headgate in one process: nats-server, Postgres and every service. Everything can also be said by HEADGATE_*
variables or in FOLDER/config.json.`;

export interface Arguments {
  readonly isHelp: boolean;
  /** One JSON line on stdout instead of sentences. */
  readonly isJson: boolean;
  /** By field of the configuration. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Throws `ConfigError` for what cannot be understood. */
export const readArguments = (args: readonly string[]): Arguments => {
  const { values } = parse(args);
  const upstreams = values.upstream?.map(readBundle);
  return {
    isHelp: values.help ?? false,
    isJson: values.json ?? false,
    flags: {
      dataDir: values['data-dir'],
      name: values.name,
      httpHost: values.host,
      httpPort: values.port === undefined ? undefined : numberOrText(values.port),
      readyFile: values['ready-file'],
      upstreams,
    },
  };
};

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        'data-dir': { type: 'string' },
        name: { type: 'string' },
        host: { type: 'string' },
        port: { type: 'string' },
        upstream: { type: 'string', multiple: true },
        'ready-file': { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (cause) {
    throw new ConfigError([`${(cause as Error).message} See npm start -- --help.`]);
  }
};

const numberOrText = (text: string): unknown => (/^\d+$/.test(text) ? Number(text) : text);

const readBundle = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'is not JSON';
    throw new ConfigError([`--upstream ${path}: ${why}; give a file that \`headgate vendor add\` printed.`]);
  }
};
