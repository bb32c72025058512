/**
 * A reporter for knip that prints JSON with what the built-in one leaves out: how many files it processed.
 *
 * @type {import('knip').Reporter}
 */
export default ({ report, issues, counters, write = (text) => process.stdout.write(text) }) => {
  const lines = Object.entries(issues)
    .filter(([kind]) => /** @type {Record<string, boolean>} */ (report)[kind])
    .flatMap(([kind, byFile]) =>
      Object.values(byFile).flatMap((bySymbol) =>
        Object.values(bySymbol).map(({ filePath, symbol, line }) => ({ kind, filePath, symbol, line })),
      ),
    );
  write(JSON.stringify({ processed: counters.processed, total: counters.total, issues: lines }));
};
