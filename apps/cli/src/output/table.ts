/** Columns as wide as their content, two spaces between; the last one is not padded. Control characters are taken out. */
export const table = (head: readonly string[], rows: ReadonlyArray<readonly string[]>): string => {
  const safe = [head, ...rows].map((row) => row.map(printable));
  const widths = head.map((_, column) => Math.max(...safe.map((row) => row[column]?.length ?? 0)));
  return safe
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** Text from a server must not steer the terminal. */
export const printable = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, (character) => (character === '\n' || character === '\t' ? ' ' : '?'));
