import { readFileSync } from 'node:fs';
import { terminalIn } from '../terminal.fixture.js';
import { commandLinePage } from './command-line-page.js';

describe('docs/reference/command-line.md', () => {
  // When this fails: npm run reference -w @headgate/cli
  it('has every command as it is', () => {
    const page = commandLinePage(terminalIn('.', {}).terminal);
    expect(readFileSync('docs/reference/command-line.md', 'utf8')).toBe(page);
    for (const command of [
      'flag kill',
      'rollout wait',
      'token recover',
      'log restore',
      'doctor',
      'vendor add',
    ]) {
      expect(page).toContain(`## headgate ${command}`);
    }
  });
});
