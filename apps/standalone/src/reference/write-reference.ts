import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configurationPage } from './configuration-page.js';

// Writes the reference page that is made from code; a spec holds it to that.
const folder = fileURLToPath(new URL('../../../../docs/reference/', import.meta.url));
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'configuration.md'), configurationPage());
