import { readFileSync } from 'node:fs';
import { configurationPage } from './configuration-page.js';

describe('docs/reference/configuration.md', () => {
  // When this fails: npm run reference -w @headgate/standalone
  it('has every setting of every service as it is', () => {
    expect(readFileSync('docs/reference/configuration.md', 'utf8')).toBe(configurationPage());
  });
});
