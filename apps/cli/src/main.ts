import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { run } from './run.js';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second one does not wait for anything.
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort();
  });
}
// `headgate … | head` closes our stdout: that is no fault of ours.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => process.exit(cause.code === 'EPIPE' ? 0 : 1));

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
process.exitCode = await run(
  process.argv.slice(2),
  {
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    stdin: process.stdin,
    out: process.stdout,
    err: process.stderr,
    now: Date.now,
    newId: randomUUID,
    interrupted: interrupted.signal,
  },
  version,
);
// Sockets that fetch keeps alive would hold the process for seconds.
process.exit();
