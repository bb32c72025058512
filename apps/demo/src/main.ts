import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openScreen } from './screen/screen.js';
import { runStory } from './story/story.js';

const USAGE = 'usage: npm run demo -- [--json FILE] [--swap] [--keep]';

const parse = () => {
  try {
    return parseArgs({
      options: {
        json: { type: 'string' },
        swap: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    process.exit(2);
  }
};

const main = async (): Promise<number> => {
  const options = parse();
  const dataDir = resolve('.headgate', 'demo', `${process.pid}-${Date.now().toString(36)}`);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const screen = openScreen(process.stdout, Date.now(), Date.now);
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort(signal));
  try {
    const { result, failures } = await runStory({
      dataDir,
      isSwapped: options.swap,
      screen,
      signal: interrupted.signal,
    });
    if (options.json) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
    for (const failure of failures) screen.say(`FAILED: ${failure}`);
    screen.say(
      failures.length === 0
        ? 'All three acts ended as they should.'
        : `${failures.length} thing(s) did not end as they should.`,
    );
    return failures.length === 0 ? 0 : 1;
  } catch (error) {
    screen.close();
    process.stderr.write(
      `demo: ${interrupted.signal.aborted ? 'interrupted' : ((error as Error).stack ?? error)}\n`,
    );
    return interrupted.signal.aborted ? 130 : 1;
  } finally {
    if (!options.keep) rmSync(dataDir, { recursive: true, force: true });
  }
};

process.exitCode = await main();
