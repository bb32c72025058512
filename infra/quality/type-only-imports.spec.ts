import { valueImports } from './type-only-imports.mjs';

describe('value imports of the contracts', () => {
  test.each([
    ["import { flagKey } from '@headgate/contracts';", 'flagKey'],
    ["import { type Flag, flagKey } from '@headgate/contracts';", 'flagKey'],
    ["import * as contracts from '@headgate/contracts';", 'contracts'],
    ["import '@headgate/contracts';", 'everything'],
    ["export { flagKey } from '@headgate/contracts';", 're-exports'],
    ["export * from '@headgate/contracts';", 're-exports'],
  ])('are found in: %s', (source, names) => {
    expect(valueImports(source)).toEqual([names]);
  });

  test.each([
    "import type { Flag } from '@headgate/contracts';",
    "import { type Flag, type Event } from '@headgate/contracts';",
    "export type { Flag } from '@headgate/contracts';",
    "import { decide } from './decide.js';",
  ])('are not seen in: %s', (source) => {
    expect(valueImports(source)).toEqual([]);
  });
});
