import {
  acknowledged,
  jsonValue,
  judgePolicy,
  metricDefinition,
  type RolloutView,
  rolloutView,
} from '@headgate/contracts';
import type { Command } from 'commander';
import { z } from 'zod';
import { CommandFailed, EXIT } from '../exit.js';
import { commandIdOption, parseDuration, readJson, whyOption } from '../options.js';
import { acknowledge } from '../output/acknowledge.js';
import { instant, percent } from '../output/figures.js';
import { printJson, printLines, printList, type Shown } from '../output/print.js';
import { printable } from '../output/table.js';
import { openSession, type Session } from '../session.js';
import { hasColour, say, type Terminal } from '../terminal.js';
import { drawRollout, evidenceLine, palette, signalLine } from './draw-rollout.js';
import { failUnlessCompleted } from './ended.js';
import { addObjectCommand } from './object-command.js';
import { showWatch } from './show-watch.js';
import { watchRollout } from './watch-rollout.js';

interface StartOptions {
  readonly variant: string;
  readonly policy?: string;
  readonly metrics?: string;
  readonly why: string;
  readonly commandId?: string;
  readonly watch?: boolean;
}

const shown: Shown<RolloutView> = {
  name: ({ id }) => `rollout/${id}`,
  columns: {
    rollout: ({ id }) => id,
    flag: ({ flagKey }) => flagKey,
    variant: ({ variant }) => variant,
    status: ({ status }) => status,
    weight: ({ weightPpm }) => percent(weightPpm),
    requested: ({ requestedAt }) => instant(requestedAt),
  },
};

const rolloutPath = async (session: Session, id: string): Promise<readonly string[]> => [
  'v1',
  'projects',
  await session.project(),
  'rollouts',
  id,
];

export const addRolloutCommands = (program: Command, terminal: Terminal): void => {
  const rollout = program.command('rollout').description('planned moves of weight, judged at every step');
  rollout
    .command('plan <flag>')
    .description('what a rollout of this flag would look like: ladder, what each step can detect')
    .option('--policy <file>', 'JSON of the judge policy, - for stdin')
    .option('--metrics <file>', 'JSON list of metric definitions')
    .action((flag: string, options: StartOptions, command: Command) =>
      plan(terminal, flag, options, command),
    );
  rollout
    .command('start <flag>')
    .description('start a rollout; from here on only the judge moves it')
    .requiredOption('--variant <variant>', 'variant to roll out', 'on')
    .option('--policy <file>', 'JSON of the judge policy, - for stdin')
    .option('--metrics <file>', 'JSON list of metric definitions')
    .option('--watch', 'watch it until it ends')
    .addOption(whyOption())
    .addOption(commandIdOption())
    .action((flag: string, options: StartOptions, command: Command) =>
      start(terminal, flag, options, command),
    );
  rollout
    .command('list')
    .description('list rollouts, newest first')
    .action(async (_options: unknown, command: Command) => {
      const session = openSession(terminal, command);
      const path = ['v1', 'projects', await session.project(), 'rollouts'];
      const answer = z.object({ items: z.array(rolloutView) });
      const { items } = await session.client.call({ method: 'GET', path, answer });
      printList(terminal, session.settings.output, shown, items);
    });
  rollout
    .command('get <id>')
    .description('show a rollout')
    .option('--watch', 'go on until it ends; exit code 7 unless it completed')
    .action(async (id: string, { watch }: { watch?: boolean }, command: Command) => {
      const session = openSession(terminal, command);
      const path = await rolloutPath(session, id);
      if (watch) return failUnlessCompleted(await watchRollout(session, path, showWatch(session)));
      show(session, await session.client.call({ method: 'GET', path, answer: rolloutView }));
    });
  rollout
    .command('why <id>')
    .description('what the judge said, newest first, with its reasons')
    .action(async (id: string, _options: unknown, command: Command) => {
      const session = openSession(terminal, command);
      const path = await rolloutPath(session, id);
      const view = await session.client.call({ method: 'GET', path, answer: rolloutView });
      if (session.settings.output === 'json')
        printJson(terminal, { items: view.verdicts.toReversed(), signals: view.signals ?? [] });
      else printLines(terminal, whyLines(view));
    });
  addObjectCommand(rollout, terminal, rolloutPath);
  addEnds(rollout, terminal);
};

const addEnds = (rollout: Command, terminal: Terminal): void => {
  rollout
    .command('abort <id>')
    .description('stop a rollout because you say so; its weight goes back to 0')
    .addOption(whyOption())
    .addOption(commandIdOption())
    .action(async (id: string, { why, commandId }: StartOptions, command: Command) => {
      const session = openSession(terminal, command);
      const answer = await session.client.call({
        method: 'POST',
        path: [...(await rolloutPath(session, id)), 'abort'],
        body: { why },
        answer: acknowledged,
        ...(commandId === undefined ? {} : { commandId }),
      });
      acknowledge(terminal, session.settings.output, `rollout/${id}`, `aborted rollout ${id}`, answer);
    });
  rollout
    .command('wait <id>')
    .description('wait until a rollout has ended; exit code 7 unless it completed, 8 when the time is up')
    .option('--timeout <duration>', 'how long at most', parseDuration, 1_800_000)
    .action(async (id: string, { timeout }: { timeout: number }, command: Command) => {
      const session = openSession(terminal, command);
      const quiet = { onRollout: () => undefined, onLook: () => undefined };
      const path = await rolloutPath(session, id);
      const ended = await watchRollout(session, path, quiet, AbortSignal.timeout(timeout));
      show(session, ended);
      failUnlessCompleted(ended);
    });
};

const show = ({ terminal, settings }: Session, view: RolloutView): void => {
  if (settings.output === 'json') printJson(terminal, view);
  else if (settings.output === 'name') printLines(terminal, [shown.name(view)]);
  else printLines(terminal, drawRollout(view, null, palette(hasColour(terminal))));
};

const plan = async (
  terminal: Terminal,
  flag: string,
  options: StartOptions,
  command: Command,
): Promise<void> => {
  const session = openSession(terminal, command);
  const project = await session.project();
  const answer = await session.client.call({
    method: 'POST',
    path: ['v1', 'projects', project, 'rollout-plan'],
    body: { channel: await session.channel(project), flag, ...(await judging(terminal, options)) },
    answer: jsonValue,
  });
  const explained = explainedPlan.safeParse(answer);
  if (session.settings.output === 'json' || !explained.success) printJson(terminal, answer);
  else printLines(terminal, explained.data.explain.map(printable));
};

/** The judge's own words are the best there are; what else is in the plan is there with `-o json`. */
const explainedPlan = z.looseObject({ explain: z.array(z.string()) });

const start = async (
  terminal: Terminal,
  flag: string,
  options: StartOptions,
  command: Command,
): Promise<void> => {
  const session = openSession(terminal, command);
  const { variant, why, commandId, watch } = options;
  const project = await session.project();
  const channel = await session.channel(project);
  const answer = await session.client.call({
    method: 'POST',
    path: ['v1', 'projects', project, 'rollouts'],
    body: { channel, flag, variant, ...(await judging(terminal, options)), why },
    answer: acknowledged,
    ...(commandId === undefined ? {} : { commandId }),
  });
  const sentence = `rollout ${answer.id} of ${flag} to ${variant} begins with its pre-period`;
  if (!watch) {
    acknowledge(terminal, session.settings.output, answer.id, sentence, answer);
    return;
  }
  say(terminal, sentence);
  failUnlessCompleted(await watchRollout(session, await rolloutPath(session, answer.id), showWatch(session)));
};

/** Checked here too, so that a fault is named before anything is sent. */
const judging = async (
  terminal: Terminal,
  { policy, metrics }: StartOptions,
): Promise<{ policy?: unknown; metrics?: unknown }> => ({
  ...(policy === undefined
    ? {}
    : { policy: await checkedFile(terminal, policy, judgePolicy.partial(), 'judge policy') }),
  ...(metrics === undefined
    ? {}
    : { metrics: await checkedFile(terminal, metrics, z.array(metricDefinition), 'list of metrics') }),
});

const checkedFile = async (
  terminal: Terminal,
  file: string,
  schema: z.ZodType,
  what: string,
): Promise<unknown> => {
  const content = await readJson(terminal, file);
  const { error } = schema.safeParse(content);
  if (!error) return content;
  const lines = error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`);
  throw new CommandFailed(EXIT.invalid, `${file} is not a ${what}`, 'Mend the named fields.', lines);
};

const whyLines = ({ verdicts, signals = [], status, endReason }: RolloutView): readonly string[] => [
  `${status}${endReason ? `: ${printable(endReason)}` : ''}`,
  ...signals.map(signalLine),
  ...(verdicts.length === 0 ? ['the judge has said nothing yet'] : []),
  ...verdicts
    .toReversed()
    .flatMap((verdict) => [
      `${instant(verdict.at)}  step ${verdict.step + 1}  ${evidenceLine(verdict)}`,
      ...verdict.reasons.map((reason) => `  - ${printable(reason)}`),
    ]),
];
