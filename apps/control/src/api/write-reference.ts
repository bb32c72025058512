import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorPage } from './error-page.js';
import { openApiDocument } from './openapi.js';

// Writes the reference pages that are made from code; a spec holds them to it.
const folder = fileURLToPath(new URL('../../../../docs/reference/', import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'openapi.json'), `${JSON.stringify(openApiDocument(), null, 2)}\n`);
writeFileSync(join(folder, 'errors.md'), errorPage());
