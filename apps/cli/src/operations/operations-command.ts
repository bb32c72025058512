import type { Command } from 'commander';
import { z } from 'zod';
import { CommandFailed, EXIT } from '../exit.js';
import { whyOption } from '../options.js';
import { printJson, printLines } from '../output/print.js';
import { printable } from '../output/table.js';
import { openSession } from '../session.js';
import { say, type Terminal } from '../terminal.js';

const report = z.looseObject({ ok: z.boolean() });
type Report = z.infer<typeof report>;

/** What an administrator asks of the whole installation. Each answers with a report; one that is not ok ends with 3. */
export const addOperationCommands = (program: Command, terminal: Terminal): void => {
  const log = program.command('log').description('the ordered events of this installation');
  log
    .command('verify')
    .description('walk every chain in the log and in its archive, and compare them')
    .action((_options: unknown, command: Command) =>
      ask(terminal, command, 'POST', ['v1', 'admin', 'log', 'verify']),
    );
  log
    .command('restore')
    .description('bring a lost log back from its archive')
    .addOption(whyOption())
    .action((options: { why: string }, command: Command) =>
      ask(terminal, command, 'POST', ['v1', 'admin', 'log', 'restore'], options.why),
    );
  program
    .command('projection')
    .description('the tables that answer questions')
    .command('rebuild')
    .description('fold the log into fresh tables, then switch')
    .addOption(whyOption())
    .action((options: { why: string }, command: Command) =>
      ask(terminal, command, 'POST', ['v1', 'admin', 'projection', 'rebuild'], options.why),
    );
  program
    .command('doctor')
    .description('read back the configuration in force and say what is wrong with it')
    .action((_options: unknown, command: Command) =>
      ask(terminal, command, 'GET', ['v1', 'admin', 'doctor']),
    );
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

const ask = async (
  terminal: Terminal,
  command: Command,
  method: 'GET' | 'POST',
  path: readonly string[],
  why?: string,
): Promise<void> => {
  const { client, settings } = openSession(terminal, command);
  const answer = await client.call({
    method,
    path,
    answer: report,
    timeoutMs: 3_600_000,
    ...(why === undefined ? {} : { body: { why } }),
  });
  if (settings.output === 'json') printJson(terminal, answer);
  else printLines(terminal, lines(answer));
  if (!answer.ok)
    throw new CommandFailed(EXIT.drift, 'not everything is well', 'See the lines marked "not ok".');
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
