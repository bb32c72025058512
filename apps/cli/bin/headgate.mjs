#!/usr/bin/env node
// The command line as the root package offers it. Runs what `npm run build` made.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write('error: the command line is not built yet\nnext: run `npm run bootstrap`\n');
  process.exitCode = 1;
}
