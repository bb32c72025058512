import {
  acknowledged,
  type SegmentDefinition,
  type SegmentView,
  segmentDefinition,
  segmentView,
} from '@headgate/contracts';
import { parseFlagFile } from '@headgate/flag-file';
import type { Command } from 'commander';
import { z } from 'zod';
import { CommandFailed, EXIT, usageError } from '../exit.js';
import { problemsIn } from '../flag-file/flag-file-problem.js';
import { commandIdOption, parseJsonText, readTextOf, whyOption } from '../options.js';
import { acknowledge } from '../output/acknowledge.js';
import { instant } from '../output/figures.js';
import { printList, printOne, type Shown } from '../output/print.js';
import { openSession, type Session } from '../session.js';
import type { Terminal } from '../terminal.js';

const shown: Shown<SegmentView> = {
  name: ({ name }) => `segment/${name}`,
  columns: {
    segment: ({ name }) => name,
    channel: ({ channel }) => channel,
    'used by': ({ usedBy }) => (usedBy ?? []).join(',') || '-',
    when: ({ definition }) => JSON.stringify((definition as { when?: unknown } | null)?.when ?? null),
    changed: ({ changedAt }) => instant(changedAt),
    why: ({ why }) => why,
  },
};

interface WriteOptions {
  readonly when?: string;
  readonly file?: string;
  readonly description?: string;
  readonly why: string;
  readonly commandId?: string;
}

export const addSegmentCommands = (program: Command, terminal: Terminal): void => {
  const segment = program
    .command('segment')
    .description('named conditions that the rules of a channel share');
  const writes = [
    { verb: 'create', done: 'created', text: 'create a segment' },
    { verb: 'change', done: 'changed', text: 'change a segment, and every flag that uses it' },
  ] as const;
  for (const { verb, done, text } of writes)
    segment
      .command(`${verb} <segment>`)
      .description(text)
      .option('--when <json>', 'condition, in JsonLogic as flagd has it')
      .option('--file <file>', 'flag file that has the segment, - for stdin')
      .option('--description <text>', 'what it is for; with --when')
      .addOption(whyOption())
      .addOption(commandIdOption())
      .action(async (name: string, options: WriteOptions, command: Command) => {
        const session = openSession(terminal, command);
        const definition = await definitionOf(terminal, name, options);
        const path = await segmentsPath(session);
        const isNew = verb === 'create';
        const answer = await session.client.call({
          method: isNew ? 'POST' : 'PUT',
          path: isNew ? path : [...path, name],
          body: { ...(isNew ? { name } : {}), definition, why: options.why },
          answer: acknowledged,
          ...(options.commandId === undefined ? {} : { commandId: options.commandId }),
        });
        acknowledge(terminal, session.settings.output, `segment/${name}`, `${done} segment ${name}`, answer);
      });
  addReads(segment, terminal);
  segment
    .command('remove <segment>')
    .description('remove a segment that no flag uses')
    .addOption(whyOption())
    .addOption(commandIdOption())
    .action(async (name: string, { why, commandId }: WriteOptions, command: Command) => {
      const session = openSession(terminal, command);
      const answer = await session.client.call({
        method: 'POST',
        path: [...(await segmentsPath(session)), name, 'remove'],
        body: { why },
        answer: acknowledged,
        ...(commandId === undefined ? {} : { commandId }),
      });
      acknowledge(terminal, session.settings.output, `segment/${name}`, `removed segment ${name}`, answer);
    });
};

const addReads = (segment: Command, terminal: Terminal): void => {
  segment
    .command('list')
    .description('list segments of a channel')
    .action(async (_options: unknown, command: Command) => {
      const session = openSession(terminal, command);
      const answer = z.object({ items: z.array(segmentView) });
      const { items } = await session.client.call({
        method: 'GET',
        path: await segmentsPath(session),
        answer,
      });
      printList(terminal, session.settings.output, shown, items);
    });
  segment
    .command('get <segment>')
    .description('show a segment')
    .action(async (name: string, _options: unknown, command: Command) => {
      const session = openSession(terminal, command);
      const path = [...(await segmentsPath(session)), name];
      const view = await session.client.call({ method: 'GET', path, answer: segmentView });
      printOne(terminal, session.settings.output, shown, view);
    });
};

const segmentsPath = async (session: Session): Promise<readonly string[]> => {
  const project = await session.project();
  return ['v1', 'projects', project, 'channels', await session.channel(project), 'segments'];
};

const definitionOf = async (
  terminal: Terminal,
  name: string,
  { when, file, description }: WriteOptions,
): Promise<SegmentDefinition> => {
  if ((when === undefined) === (file === undefined))
    throw usageError('no condition given', 'Pass either --when JSON or --file FILE.');
  if (file !== undefined) return inFile(terminal, name, file);
  const parsed = segmentDefinition.safeParse({
    when: parseJsonText(when ?? '', '--when'),
    ...(description === undefined ? {} : { description }),
  });
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new CommandFailed(EXIT.invalid, 'that is no condition', 'Mend it.', lines);
};

const inFile = async (terminal: Terminal, name: string, path: string): Promise<SegmentDefinition> => {
  const { file, problems } = parseFlagFile(await readTextOf(terminal, path));
  if (!file || problems.length > 0) throw problemsIn(path, problems);
  const definition = Object.hasOwn(file.segments ?? {}, name) ? file.segments?.[name] : undefined;
  if (definition) return definition;
  const names = Object.keys(file.segments ?? {}).join(', ') || 'none';
  throw new CommandFailed(EXIT.invalid, `${path} has no segment "${name}"`, `It has: ${names}.`);
};
