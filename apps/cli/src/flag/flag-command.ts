import { acknowledged, type FlagDefinition, flagDefinition, flagView } from '@headgate/contracts';
import { parseFlagFile } from '@headgate/flag-file';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { confirmByName } from '../confirm.js';
import { CommandFailed, EXIT, usageError } from '../exit.js';
import { problemsIn } from '../flag-file/flag-file-problem.js';
import { commandIdOption, readJson, readTextOf, whyOption, yesOption } from '../options.js';
import { acknowledge } from '../output/acknowledge.js';
import { printList, printOne } from '../output/print.js';
import { openSession, type Session } from '../session.js';
import type { Terminal } from '../terminal.js';
import { type EvaluateOptions, evaluateFlag } from './evaluate-flag.js';
import { listUnknownFlags, printStale, shownWithHealth, showUsage } from './flag-life.js';
import { shownFlag } from './shown-flag.js';

interface WriteOptions {
  readonly why: string;
  readonly commandId?: string;
  readonly definition?: string;
  readonly file?: string;
  readonly default?: string;
  readonly yes?: boolean;
  readonly input?: boolean;
}

interface ListOptions {
  readonly stale?: boolean;
  readonly unknown?: boolean;
}

const flagsPath = async (session: Session): Promise<readonly string[]> => {
  const project = await session.project();
  return ['v1', 'projects', project, 'channels', await session.channel(project), 'flags'];
};

export const addFlagCommands = (program: Command, terminal: Terminal): void => {
  const flag = program.command('flag').description('named switches of code paths');
  flag
    .command('create <key>')
    .description('create a flag; without a definition a boolean one that is off')
    .option('--definition <file>', 'JSON of the flag definition, - for stdin')
    .option('--file <file>', 'flag file that has the flag, - for stdin')
    .addOption(whyOption())
    .addOption(commandIdOption())
    .action(async (key: string, options: WriteOptions, command: Command) => {
      const session = openSession(terminal, command);
      const definition = (await givenDefinition(terminal, key, options)) ?? BOOLEAN_OFF;
      const { why, commandId } = options;
      const answer = await session.client.call({
        method: 'POST',
        path: await flagsPath(session),
        body: { key, definition, why },
        answer: acknowledged,
        ...(commandId === undefined ? {} : { commandId }),
      });
      acknowledge(terminal, session.settings.output, `flag/${key}`, `created flag ${key}`, answer);
    });
  flag
    .command('list')
    .description('list flags of a channel')
    .option('--stale', 'only those that look as if nobody needed them, with the reasons')
    .addOption(
      new Option('--unknown', 'keys that code asks for and the channel does not have').conflicts('stale'),
    )
    .action(async (options: ListOptions, command: Command) => {
      const session = openSession(terminal, command);
      const path = await flagsPath(session);
      if (options.unknown) return listUnknownFlags(terminal, session, path);
      const answer = z.object({ items: z.array(flagView) });
      const { items } = await session.client.call({ method: 'GET', path, answer });
      if (options.stale) printStale(terminal, session, items);
      else printList(terminal, session.settings.output, shownFlag, items);
    });
  flag
    .command('usage <key>')
    .description('show what a flag serves, how often, when last, and whether it is still needed')
    .action(async (key: string, _options: unknown, command: Command) => {
      const session = openSession(terminal, command);
      await showUsage(terminal, session, [...(await flagsPath(session)), key]);
    });
  flag
    .command('get <key>')
    .description('show a flag')
    .action(async (key: string, _options: unknown, command: Command) => {
      const session = openSession(terminal, command);
      const path = [...(await flagsPath(session)), key];
      const view = await session.client.call({ method: 'GET', path, answer: flagView });
      printOne(terminal, session.settings.output, shownWithHealth, view);
    });
  flag
    .command('change <key>')
    .description('change a flag: its whole definition, or only its default variant')
    .option('--definition <file>', 'JSON of the flag definition, - for stdin')
    .option('--file <file>', 'flag file that has the flag, - for stdin')
    .option('--default <variant>', 'default variant')
    .addOption(whyOption())
    .addOption(commandIdOption())
    .action((key: string, options: WriteOptions, command: Command) =>
      changeFlag(terminal, key, options, command),
    );
  flag
    .command('evaluate <key>')
    .description('show what a flag gives a context, and how it comes to that')
    .option('--context <json>', 'evaluation context')
    .option('--context-file <file>', 'JSON of the evaluation context, - for stdin')
    .option('--at <instant>', 'moment to evaluate at, for ramps and schedules; now when absent')
    .action(async (key: string, options: EvaluateOptions, command: Command) => {
      const session = openSession(terminal, command);
      await evaluateFlag(session, [...(await flagsPath(session)), key], options);
    });
  addMoves(flag, terminal);
};

/** Kill, lift-kill and archive: a key, a reason, and for what is felt everywhere a confirmation. */
const addMoves = (flag: Command, terminal: Terminal): void => {
  const moves = [
    { verb: 'kill', done: 'killed', asks: 'kills', text: 'turn the code path off everywhere, at once' },
    { verb: 'lift-kill', done: 'lifted the kill of', asks: null, text: 'lift a kill' },
    {
      verb: 'archive',
      done: 'archived',
      asks: 'archives',
      text: 'end a flag; clients fall back to their code',
    },
  ];
  for (const { verb, done, asks, text } of moves) {
    flag
      .command(`${verb} <key>`)
      .description(text)
      .addOption(whyOption())
      .addOption(commandIdOption())
      .addOption(yesOption())
      .action(async (key: string, { why, commandId, yes }: WriteOptions, command: Command) => {
        const session = openSession(terminal, command);
        const path = await flagsPath(session);
        const { input } = command.optsWithGlobals<{ input?: boolean }>();
        const what = `This ${asks} ${key} in channel ${path[4]} of ${path[2]}`;
        if (asks) await confirmByName(terminal, what, key, { yes, input });
        const answer = await session.client.call({
          method: 'POST',
          path: [...path, key, verb],
          body: { why },
          answer: acknowledged,
          ...(commandId === undefined ? {} : { commandId }),
        });
        acknowledge(terminal, session.settings.output, `flag/${key}`, `${done} flag ${key}`, answer);
      });
  }
};

const changeFlag = async (
  terminal: Terminal,
  key: string,
  options: WriteOptions,
  command: Command,
): Promise<void> => {
  const session = openSession(terminal, command);
  const given = [options.definition, options.file, options.default].filter((option) => option !== undefined);
  if (given.length !== 1)
    throw usageError(
      given.length === 0 ? 'nothing to change' : 'more than one change given',
      'Pass either --definition FILE or --default VARIANT, or --file FLAG-FILE.',
    );
  const path = [...(await flagsPath(session)), key];
  const definition = (await givenDefinition(terminal, key, options)) ?? {
    ...(await definitionOf(session, path)),
    defaultVariant: options.default ?? '',
  };
  const { why, commandId } = options;
  const answer = await session.client.call({
    method: 'PUT',
    path,
    body: { definition, why },
    answer: acknowledged,
    ...(commandId === undefined ? {} : { commandId }),
  });
  acknowledge(terminal, session.settings.output, `flag/${key}`, `changed flag ${key}`, answer);
};

const BOOLEAN_OFF: z.input<typeof flagDefinition> = {
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant: 'off',
};

const givenDefinition = async (
  terminal: Terminal,
  key: string,
  { definition, file }: WriteOptions,
): Promise<FlagDefinition | undefined> => {
  if (definition !== undefined && file !== undefined)
    throw usageError('two definitions given', 'Pass either --definition FILE or --file FILE.');
  if (file !== undefined) return definitionInFlagFile(terminal, key, file);
  return definition === undefined ? undefined : definitionIn(terminal, definition);
};

const definitionInFlagFile = async (
  terminal: Terminal,
  key: string,
  path: string,
): Promise<FlagDefinition> => {
  const { file, problems } = parseFlagFile(await readTextOf(terminal, path));
  if (!file || problems.length > 0) throw problemsIn(path, problems);
  const definition = Object.hasOwn(file.flags, key) ? file.flags[key] : undefined;
  if (definition) return definition;
  const keys = Object.keys(file.flags).join(', ') || 'none';
  throw new CommandFailed(EXIT.invalid, `${path} has no flag "${key}"`, `It has: ${keys}.`);
};

const definitionIn = async (terminal: Terminal, file: string): Promise<FlagDefinition> => {
  const parsed = flagDefinition.safeParse(await readJson(terminal, file));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`);
  throw new CommandFailed(EXIT.invalid, `${file} is not a flag definition`, 'Mend the named fields.', lines);
};

const definitionOf = async (session: Session, path: readonly string[]): Promise<FlagDefinition> => {
  const { definition } = await session.client.call({ method: 'GET', path, answer: flagView });
  return definition as unknown as FlagDefinition;
};
