import { ERRORS } from '@headgate/contracts';

/** docs/reference/errors.md: the table of errors for people. Always the same text. */
export const errorPage = (): string => {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, exit, next }]) => `| \`${code}\` | ${status} | ${exit} | ${next} |`,
  );
  return [
    '# Errors',
    '',
    'Every answer of the HTTP API that is not 2xx is a problem:',
    '`{"error": {"code", "message", "next", "details"?, "correlationId"}}`. `code` is one of these and never changes its meaning;',
    '`message` says what was wrong and where, `next` what to do. The command line prints both and ends with the exit code.',
    '',
    'This page is made from `libs/contracts/src/errors.ts` by `npm run reference -w @headgate/control`.',
    '',
    '| Code | HTTP | Exit | What to do |',
    '|---|---|---|---|',
    ...rows,
    '',
    'Exit codes of the command line that no server gives: 0 ok, 2 wrong use, 3 drift found (`doctor`, `log verify`), 7 the rollout',
    'did not complete, 8 the time is up, 130 interrupted.',
    '',
  ].join('\n');
};
