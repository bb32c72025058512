import type { Output } from '../settings/settings.js';
import type { Terminal } from '../terminal.js';
import { printable, table } from './table.js';

/** How one kind of thing is shown. */
export interface Shown<T> {
  /** `flag/new-parser`: what other commands take. */
  readonly name: (item: T) => string;
  readonly columns: Readonly<Record<string, (item: T) => string>>;
}

export const printList = <T>(
  terminal: Terminal,
  output: Output,
  shown: Shown<T>,
  items: readonly T[],
): void => {
  if (output === 'json') printJson(terminal, { items });
  else if (output === 'name') printLines(terminal, items.map(shown.name));
  else if (items.length === 0) terminal.err.write('none\n');
  else printTable(terminal, shown, items);
};

const printTable = <T>(terminal: Terminal, shown: Shown<T>, items: readonly T[]): void => {
  const readers = Object.values(shown.columns);
  printLines(terminal, [
    table(
      Object.keys(shown.columns),
      items.map((item) => readers.map((read) => read(item))),
    ),
  ]);
};

export const printOne = <T>(terminal: Terminal, output: Output, shown: Shown<T>, item: T): void => {
  if (output === 'json') printJson(terminal, item);
  else if (output === 'name') printLines(terminal, [shown.name(item)]);
  else printFields(terminal, shown, item);
};

const printFields = <T>(terminal: Terminal, shown: Shown<T>, item: T): void => {
  const width = Math.max(...Object.keys(shown.columns).map((name) => name.length)) + 2;
  printLines(
    terminal,
    Object.entries(shown.columns).map(
      ([name, read]) => `${`${name}:`.padEnd(width)}${printable(read(item))}`,
    ),
  );
};

export const printJson = (terminal: Terminal, value: unknown): void =>
  printLines(terminal, [JSON.stringify(value, null, 2)]);

export const printLines = (terminal: Terminal, lines: readonly string[]): void => {
  if (lines.length > 0) terminal.out.write(`${lines.join('\n')}\n`);
};
