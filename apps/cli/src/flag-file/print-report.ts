import type { ImportReport, NotCarried, VariantChange } from '@headgate/flag-file';
import { printable } from '../output/table.js';
import { say, type Terminal } from '../terminal.js';

interface Shown {
  /** Over keys that somebody gave, or over made-up ones. */
  readonly isMeasured: boolean;
}

/** For people, on stderr: what was left out, then who changes variant. */
export const printReport = (terminal: Terminal, report: ImportReport, { isMeasured }: Shown): void => {
  for (const item of report.notCarried) say(terminal, printable(notCarried(item)));
  for (const change of report.variantChanges) say(terminal, printable(changing(change, isMeasured)));
};

const notCarried = ({ flag, place, line, why, mend }: NotCarried): string =>
  `not carried: ${flag === '' ? '' : `${flag}, `}${place}${line > 1 ? ` (line ${line})` : ''}: ${why}. ${mend}`;

const changing = (
  { flag, place, keys, changed, share, seed, pinned }: VariantChange,
  isMeasured: boolean,
): string => {
  const of = `${keys.toLocaleString('en')} ${isMeasured ? 'given' : 'made-up'} keys`;
  const part = `${(share * 100).toFixed(1)} % (${changed.toLocaleString('en')} of ${of})`;
  return changed === 0
    ? `no change of variant: ${flag}, ${place}: none of ${of}${pinned > 0 ? `, ${pinned} of them by name` : ''}`
    : `changes variant: ${flag}, ${place}: ${part} of those who get there, under seed "${seed}"`;
};
