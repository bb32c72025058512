import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandLinePage } from './command-line-page.js';

// Writes the reference page that is made from code; a spec holds it to that. Nothing is read from this terminal.
const folder = fileURLToPath(new URL('../../../../docs/reference/', import.meta.url));
mkdirSync(folder, { recursive: true });
const page = commandLinePage({
  env: {},
  cwd: '.',
  home: '.',
  stdin: process.stdin,
  out: process.stdout,
  err: process.stderr,
  now: () => 0,
  newId: () => '',
  interrupted: new AbortController().signal,
});
writeFileSync(join(folder, 'command-line.md'), page);
