import { type ImportReport, type NotCarried, soundPart } from '@headgate/flag-file';
import type { Command } from 'commander';
import { CommandFailed, EXIT, usageError } from '../exit.js';
import { commandIdOption, readTextOf } from '../options.js';
import { printJson, printLines } from '../output/print.js';
import { table } from '../output/table.js';
import { openSession, type Session } from '../session.js';
import { say, type Terminal } from '../terminal.js';
import { carryOut, type Outcome } from './carry-out.js';
import { channelContent } from './channel-content.js';
import { environmentOption, fromOption } from './flag-file-options.js';
import { problemsIn } from './flag-file-problem.js';
import { planImport, type Step } from './plan-import.js';
import { printReport } from './print-report.js';
import { readSource, type SourceOptions } from './read-source.js';

interface Options extends Omit<SourceOptions, 'keys' | 'isSeedCompatible' | 'pinsKeys'> {
  readonly dryRun?: boolean;
  readonly keys?: string;
  readonly seedCompatible?: boolean;
  readonly pinKeys?: boolean;
  readonly why?: string;
  readonly commandId?: string;
}

export const addImportCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('import <file>')
    .description('make a channel say what a file says; nothing is removed; - for stdin')
    .addOption(fromOption())
    .addOption(environmentOption())
    .option('--dry-run', 'only say what would be done; ends with 3 when something would')
    .option('--keys <file>', 'targeting keys, one a line, to count who changes variant')
    .option(
      '--seed-compatible',
      'keep what shared its buckets together, and look for the seeds that move fewest --keys',
    )
    .option('--pin-keys', 'those of --keys that would change keep their variant by rules that name them')
    .option('--why <reason>', 'why, in a sentence; not needed with --dry-run')
    .addOption(commandIdOption())
    .action((path: string, options: Options, command: Command) =>
      importFile(terminal, path, options, command),
    );
};

const importFile = async (
  terminal: Terminal,
  path: string,
  { dryRun, keys: keyFile, seedCompatible, pinKeys, why, commandId, ...rest }: Options,
  command: Command,
): Promise<void> => {
  if (!dryRun && why === undefined) throw usageError('no reason given', 'Pass --why REASON, or --dry-run.');
  if (pinKeys && keyFile === undefined)
    throw usageError('no keys to pin', 'Pass --keys FILE with --pin-keys.');
  const keys = keyFile === undefined ? undefined : keysIn(await readTextOf(terminal, keyFile));
  const read = await readSource(terminal, path, {
    ...rest,
    ...(keys === undefined ? {} : { keys }),
    ...(seedCompatible ? { isSeedCompatible: true } : {}),
    ...(pinKeys ? { pinsKeys: true } : {}),
  });
  const session = openSession(terminal, command);
  const channel = await channelContent(session);
  // Our own file is taken whole or not at all; another system's as far as it goes.
  const problems = read.source === 'headgate' ? read.check(channel.file) : [];
  if (problems.length > 0) throw problemsIn(path, problems);
  const { file, notCarried } = soundPart(read.imported.file, channel.file);
  const own = setMetadata(file.metadata);
  const report: ImportReport = {
    carried: Object.keys(file.flags),
    notCarried: [...read.imported.report.notCarried, ...notCarried, ...own],
    variantChanges: read.imported.report.variantChanges.filter(({ flag }) => Object.hasOwn(file.flags, flag)),
  };
  printReport(terminal, report, { isMeasured: keys !== undefined });
  const steps = planImport(file, channel.file);
  if (dryRun) return sayPlan(session, steps, report);
  const outcomes = await carryOut(session, steps, {
    path: channel.path,
    why: why ?? '',
    commandId: commandId ?? terminal.newId(),
  });
  sayOutcome(session, steps, outcomes, report);
};

const keysIn = (text: string): readonly string[] => {
  const keys = [...new Set(text.split(/\r?\n/).map((line) => line.trim()))].filter((line) => line !== '');
  if (keys.length === 0)
    throw new CommandFailed(EXIT.invalid, 'the file of keys is empty', 'Write one targeting key a line.');
  return keys;
};

const setMetadata = (metadata: object | undefined): readonly NotCarried[] => {
  const names = Object.keys(metadata ?? {}).filter((name) => name !== 'flagSetId' && name !== 'version');
  if (names.length === 0) return [];
  const why = `metadata of the whole set (${names.join(', ')}) has no place in a channel`;
  return [
    {
      flag: '',
      place: 'metadata',
      line: 1,
      why,
      mend: 'Put it into the metadata of the flags that need it.',
    },
  ];
};

const isChange = ({ action }: Step): boolean => action !== 'same';

const print = (
  { terminal, settings }: Session,
  steps: readonly Step[],
  rows: readonly string[],
  json: object,
): void => {
  if (settings.output === 'json') printJson(terminal, json);
  else if (settings.output === 'name')
    printLines(
      terminal,
      steps.filter(isChange).map(({ kind, name }) => `${kind}/${name}`),
    );
  else if (steps.length > 0)
    printLines(terminal, [
      table(
        ['item', 'result'],
        steps.map(({ kind, name }, i) => [`${kind}/${name}`, rows[i] ?? '']),
      ),
    ]);
};

const itemsOf = (steps: readonly Step[], results: readonly string[]): readonly object[] =>
  steps.map(({ kind, name }, i) => ({ kind, name, result: results[i] }));

const sayPlan = (session: Session, steps: readonly Step[], report: ImportReport): void => {
  const rows = steps.map(({ action }) => (action === 'same' ? 'same' : `would ${action}`));
  print(session, steps, rows, { dryRun: true, items: itemsOf(steps, rows), ...report });
  const changes = steps.filter(isChange).length;
  if (changes > 0)
    throw new CommandFailed(
      EXIT.drift,
      `${changes} of ${steps.length} items would change`,
      'Run it without --dry-run to change them.',
    );
  say(session.terminal, `the channel says all ${steps.length} items already`);
};

const sayOutcome = (
  session: Session,
  steps: readonly Step[],
  outcomes: readonly Outcome[],
  report: ImportReport,
): void => {
  const rows = steps.map(({ action }, i) => {
    const outcome = outcomes[i];
    if (!outcome) return 'not tried';
    if (outcome.failure) return `failed: ${outcome.failure.message}`;
    return action === 'same' ? 'same' : action === 'create' ? 'created' : 'changed';
  });
  print(session, steps, rows, { dryRun: false, items: itemsOf(steps, rows), ...report });
  const failed = outcomes.flatMap(({ step, failure }) => (failure ? [{ step, failure }] : []));
  const done = outcomes.filter(({ step, failure }) => !failure && isChange(step)).length;
  const [first] = failed;
  if (!first) {
    say(session.terminal, `${done} items changed, ${steps.length - done} were as the file says`);
    return;
  }
  const open = steps.length - outcomes.length + failed.length;
  throw new CommandFailed(
    first.failure.exit,
    `${done} items were changed; ${open} of ${steps.length} are not as the file says`,
    `${first.failure.next} Then import again: what is done stays done.`,
    failed.flatMap(({ step, failure }) => [
      `${step.kind} ${step.name}: ${failure.message}`,
      ...failure.details,
    ]),
  );
};
