import { readFileSync } from 'node:fs';
import { flagDefinition } from '@headgate/contracts';
import { checkDefinition } from './check-definition.js';
import { describeProblem } from './problem.js';
import type { Surroundings } from './surroundings.js';

const page = readFileSync('docs/how-to/write-rules.md', 'utf8');
const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = '']) => json);

const around: Surroundings = {
  flag: (key) =>
    key === 'new-storage'
      ? {
          key,
          status: 'active',
          split: null,
          definition: { state: 'ENABLED', variants: { on: true, off: false }, overridable: 'none' },
        }
      : undefined,
  segment: (name) => (name === 'insiders' ? { var: 'insider' } : undefined),
  attributes: null,
};

describe('the page on rules', () => {
  it('has an example of each kind', () => expect(examples).toHaveLength(4));
  it.each(examples)('shows what can be published: %#', (json) => {
    const definition = flagDefinition.parse(JSON.parse(json));
    expect(checkDefinition(definition, 'path', around).map(describeProblem)).toEqual([]);
  });
});
