import type { Command } from 'commander';
import { z } from 'zod';
import { askLocally } from '../api/local-server.js';
import { CommandFailed, EXIT } from '../exit.js';
import { whyOption } from '../options.js';
import { printJson, printLines } from '../output/print.js';
import { printable } from '../output/table.js';
import { openSession } from '../session.js';
import { findSettings, type GlobalOptions } from '../settings/settings.js';
import { say, type Terminal } from '../terminal.js';

const report = z.looseObject({ ok: z.boolean() });
type Report = z.infer<typeof report>;

/** What an administrator asks of the whole installation. Each answers with a report; one that is not ok ends with 3. */
export const addOperationCommands = (program: Command, terminal: Terminal): void => {
  const log = program.command('log').description('the ordered events of this installation');
  const projection = program.command('projection').description('the tables that answer questions');
  const asked: readonly { parent: Command; verb: string; text: string; request: Request }[] = [
    {
      parent: log,
      verb: 'verify',
      text: 'walk every chain in the log and in its archive, and compare them',
      request: { method: 'POST', path: ['v1', 'admin', 'log', 'verify'], local: '/log/verify' },
    },
    {
      parent: log,
      verb: 'restore',
      text: 'bring a lost log back from its archive',
      request: {
        method: 'POST',
        path: ['v1', 'admin', 'log', 'restore'],
        local: '/log/restore',
        needsWhy: true,
      },
    },
    {
      parent: projection,
      verb: 'rebuild',
      text: 'fold the log into fresh tables, then switch',
      request: {
        method: 'POST',
        path: ['v1', 'admin', 'projection', 'rebuild'],
        local: '/projection/rebuild',
        needsWhy: true,
      },
    },
    {
      parent: program,
      verb: 'doctor',
      text: 'read back the configuration in force and say what is wrong with it',
      request: { method: 'GET', path: ['v1', 'admin', 'doctor'], local: '/doctor' },
    },
  ];
  for (const { parent, verb, text, request } of asked) {
    const command = parent
      .command(verb)
      .description(text)
      .option('--data-dir <folder>', 'ask the server of this folder, on its machine, without a token');
    if (request.needsWhy) command.addOption(whyOption());
    command.action((options: AskOptions, self: Command) => ask(terminal, self, request, options));
  }
  program
    .command('vendor')
    .description('who may mirror this installation')
    .command('add <name>')
    .description('admit a vendor and print its bundle: the vendor starts with --upstream BUNDLE')
    .addOption(whyOption())
    .action(async (name: string, { why }: { why: string }, command: Command) => {
      const { client } = openSession(terminal, command);
      const body = { name, why };
      const bundle = await client.call({
        method: 'POST',
        path: ['v1', 'admin', 'vendors'],
        body,
        answer: z.looseObject({}),
      });
      say(terminal, `admitted vendor ${name}; the bundle holds a password: send it as one`);
      printJson(terminal, bundle);
    });
  program
    .command('whoami')
    .description('whom the token stands for')
    .action(async (_options: unknown, command: Command) => {
      const { client, settings } = openSession(terminal, command);
      const answer = z.looseObject({ tokenId: z.string(), role: z.string(), project: z.string().nullable() });
      const caller = await client.call({ method: 'GET', path: ['v1', 'whoami'], answer });
      if (settings.output === 'json') printJson(terminal, caller);
      else
        printLines(terminal, [
          `${caller.role} of ${caller.project ?? 'all projects'} (token ${caller.tokenId})`,
        ]);
    });
};

interface AskOptions {
  readonly why?: string;
  readonly dataDir?: string;
}

interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: readonly string[];
  /** Address on the local socket. */
  readonly local: string;
  readonly needsWhy?: boolean;
}

/** A walk over a long log takes its time. */
const PATIENCE_MS = 3_600_000;

const ask = async (
  terminal: Terminal,
  command: Command,
  { method, path, local }: Request,
  { why, dataDir }: AskOptions,
): Promise<void> => {
  const { output } = findSettings(terminal, command.optsWithGlobals<GlobalOptions>());
  const answer =
    dataDir === undefined
      ? await openSession(terminal, command).client.call({
          method,
          path,
          answer: report,
          timeoutMs: PATIENCE_MS,
          ...(why === undefined ? {} : { body: { why } }),
        })
      : report.parse(await askLocally(terminal, dataDir, local));
  if (output === 'json') printJson(terminal, answer);
  else printLines(terminal, lines(answer));
  if (!answer.ok) {
    throw new CommandFailed(
      EXIT.drift,
      'not everything is well',
      'See the lines marked "not ok", and the faults.',
    );
  }
};

/** A report's fields as lines; lists of checks one line each. */
const lines = ({ ok, ...rest }: Report): readonly string[] => [
  `ok: ${ok ? 'yes' : 'no'}`,
  ...Object.entries(rest).flatMap(([name, value]) =>
    Array.isArray(value)
      ? [`${name}:`, ...value.map((item) => `  ${itemLine(item)}`)]
      : [`${name}: ${printable(typeof value === 'string' ? value : JSON.stringify(value))}`],
  ),
];

const itemLine = (item: unknown): string => {
  if (typeof item !== 'object' || item === null) return printable(String(item));
  const { ok, name, detail, ...rest } = item as Record<string, unknown>;
  const mark = ok === undefined ? '' : ok === null ? 'unknown  ' : ok ? 'ok       ' : 'not ok   ';
  const more = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
  return printable(`${mark}${[name, detail].filter((part) => typeof part === 'string').join(': ')}${more}`);
};
