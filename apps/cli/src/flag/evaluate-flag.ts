import { type EvaluationView, evaluationView } from '@headgate/contracts';
import { usageError } from '../exit.js';
import { parseInstant, parseJsonText, readTextOf } from '../options.js';
import { printJson, printLines } from '../output/print.js';
import { printable, table } from '../output/table.js';
import type { Session } from '../session.js';

export interface EvaluateOptions {
  readonly context?: string;
  readonly contextFile?: string;
  readonly at?: string;
}

/** What a flag gives a context, and how it came to that. */
export const evaluateFlag = async (
  session: Session,
  path: readonly string[],
  { context, contextFile, at }: EvaluateOptions,
): Promise<void> => {
  if (context !== undefined && contextFile !== undefined)
    throw usageError('two contexts given', 'Pass either --context JSON or --context-file FILE.');
  const text =
    contextFile === undefined ? (context ?? '{}') : await readTextOf(session.terminal, contextFile);
  const view = await session.client.call({
    method: 'POST',
    path: [...path, 'evaluate'],
    body: {
      context: parseJsonText(text, contextFile ?? '--context'),
      ...(at === undefined ? {} : { at: parseInstant(at) }),
    },
    answer: evaluationView,
  });
  const { terminal, settings } = session;
  if (settings.output === 'json') printJson(terminal, view);
  else if (settings.output === 'name') printLines(terminal, [view.variant ?? '']);
  else printLines(terminal, linesOf(view));
};

const rowOf = ({ path, outcome, message }: EvaluationView['trace'][number]): string[] => [
  path || '(the flag)',
  outcome.replace('-', ' '),
  message,
];

const linesOf = ({
  key,
  variant,
  value,
  reason,
  errorCode,
  errorMessage,
  trace,
}: EvaluationView): string[] => [
  `flag:    ${printable(key)}`,
  `variant: ${variant === undefined ? '(the default in the code)' : printable(variant)}`,
  ...(value === undefined ? [] : [`value:   ${printable(JSON.stringify(value))}`]),
  `reason:  ${printable(reason)}${errorCode === undefined ? '' : printable(` ${errorCode}: ${errorMessage ?? ''}`)}`,
  ...(trace.length === 0 ? [] : ['', table(['place', 'outcome', 'why'], trace.map(rowOf))]),
];
