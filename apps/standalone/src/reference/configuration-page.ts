import { analysisConfig } from '@headgate/analysis';
import { collectorConfig } from '@headgate/collector';
import { controlConfig } from '@headgate/control';
import { gatewayConfig } from '@headgate/gateway';
import { projectorConfig } from '@headgate/projector';
import { publisherConfig } from '@headgate/publisher';
import { rolloutsConfig } from '@headgate/rollouts';
import { type ConfigField, configFields } from '@headgate/service-kit';
import type { z } from 'zod';
import { standaloneConfig } from '../standalone-config.js';

/** What each field is for; a field that no sentence is about stops the specs. */
const SENTENCES: Readonly<Record<string, string>> = {
  analysesMaxAgeMs: 'how long full analyses are kept',
  beatEveryMs: 'at most this long between signs of life of a channel',
  databaseUrl: 'Postgres; for `npm start` a server in place of its own',
  dataDir: 'where the data of this installation lie, 0700',
  gatewayCorsOrigins:
    'origins whose pages may evaluate here: `["https://shop.example.org"]`, `["*"]` for all',
  gatewayMaxClients: 'streams served at once; more are told to come again',
  gatewayMaxClientsPerAddress:
    'how many of them, and of gRPC connections, one address (IPv6: one /64) may have; by default half, and no limit for addresses of this machine; 0 for no limit, as behind a proxy on another machine',
  gatewayRequestsPerSecond:
    'requests a second that one address may send to the doors that evaluate; 0 for no limit, as behind a proxy',
  gatewaySources: 'where channels come from, in order of precedence: `[{"root", "stream", "pin"}]`',
  grpcAllowPlaintext: 'lets gRPC listen beyond this machine without TLS, where something else encrypts',
  grpcHost: "address on which flagd's gRPC services listen",
  grpcPort:
    'port of the same; 0 for a free one, which `npm start` keeps between starts; a gateway of its own serves none without it',
  grpcSyncContext:
    'attributes that flagd\'s in-process providers merge into every evaluation: `{"region": "north"}`',
  grpcTlsCertPath: 'PEM file of the certificate chain for gRPC; by default that of HTTP',
  grpcTlsKeyPath: 'PEM file of its private key',
  httpHost: 'address to listen on',
  httpPort: 'port to listen on; 0 for a free one, which `npm start` keeps between starts',
  ingestToken: 'the token that reports come with',
  keysPassphrase: 'encrypts private keys made from now on, and opens them',
  leafHost: 'address on which leaf nodes of vendors are awaited',
  leafPort: 'port of the same; 0 for a free one, kept between starts',
  leafUrl: 'address of the same as vendors see it, for their bundles',
  logLevel: 'least level that is logged',
  name: 'what others call this installation; by default what its first upstream calls it, else `headgate`',
  natsPassword: 'password of the same',
  natsUrl: 'nats-server',
  natsUser: "the role's user at nats-server",
  readyFile: 'written, 0600, when everything serves; for programs that start us',
  telemetryToken: 'the token to tell it with',
  telemetryUrl:
    'collector that is told which flags were evaluated here for clients that do not report; nobody is without it',
  tlsCertPath:
    'PEM file of the certificate chain: HTTPS in place of HTTP; a renewed file is taken up while it runs',
  tlsKeyPath: 'PEM file of its private key',
  upstreams: 'bundles of upstreams to mirror, as `headgate vendor add` prints them; remembered once joined',
};

const SERVICES: Readonly<Record<string, z.ZodObject>> = {
  'npm start': standaloneConfig,
  control: controlConfig,
  publisher: publisherConfig,
  gateway: gatewayConfig,
  collector: collectorConfig,
  analysis: analysisConfig,
  rollouts: rolloutsConfig,
  projector: projectorConfig,
};

/** docs/reference/configuration.md: every setting of every service. Throws when one has no sentence. */
export const configurationPage = (): string =>
  [
    '# Configuration',
    '',
    'Every field can be set by its variable, or by its name in a JSON file: `<data folder>/config.json` for `npm start`, the file that',
    '`HEADGATE_CONFIG` names for a service that runs alone. Flags of `npm start` win over variables, variables over the file. A value',
    'may also be read from a file: set `<VARIABLE>_FILE` to its path, as for secrets. A fault stops the start and names the variable.',
    '',
    'This page is made from the schemas that check the settings, by `npm run reference -w @headgate/standalone`.',
    ...Object.entries(SERVICES).flatMap(([name, schema]) => ['', `## ${name}`, '', ...tableOf(schema)]),
    '',
  ].join('\n');

const tableOf = (schema: z.ZodObject): readonly string[] => [
  '| Variable | Field | Default | What it is |',
  '|---|---|---|---|',
  ...configFields(schema).map(rowOf),
];

const rowOf = ({ key, variable, fallback, isSecret, isRequired }: ConfigField): string => {
  const sentence = SENTENCES[key];
  if (sentence === undefined)
    throw new Error(`configuration field "${key}" has no sentence in configuration-page.ts`);
  const value = isRequired ? 'required' : fallback === undefined ? '' : `\`${JSON.stringify(fallback)}\``;
  return `| \`${variable}\` | \`${key}\` | ${value} | ${sentence}${isSecret ? ' (secret)' : ''} |`;
};
