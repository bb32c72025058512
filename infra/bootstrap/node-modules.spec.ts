import { holdsLockedPackages } from './node-modules.mjs';

const tree = (packages: object) => JSON.stringify({ packages });

describe("npm's record of an installed tree", () => {
  const zod = { version: '4.6.7', integrity: 'sha512-a' };
  const locked = tree({
    '': { name: 'headgate' },
    'libs/trust': { version: '0.1.0' },
    'node_modules/zod': zod,
    'node_modules/a/node_modules/zod': { version: '3.0.0', integrity: 'sha512-b' },
    'node_modules/for-mac': { version: '1.0.0', integrity: 'sha512-c', optional: true },
  });
  const nested = { 'node_modules/a/node_modules/zod': { version: '3.0.0', integrity: 'sha512-b' } };

  test('holds the locked packages, other platforms left out', () => {
    expect(holdsLockedPackages(locked, tree({ 'node_modules/zod': zod, ...nested }))).toBe(true);
  });

  test.each([
    ['a package is missing', { 'node_modules/zod': zod }],
    ['a version differs', { 'node_modules/zod': { ...zod, version: '4.6.6' }, ...nested }],
    ['a digest differs', { 'node_modules/zod': { ...zod, integrity: 'sha512-z' }, ...nested }],
    [
      'an optional package is there in another version',
      { 'node_modules/zod': zod, ...nested, 'node_modules/for-mac': { version: '0.9.0' } },
    ],
  ])('does not when %s', (_, packages) => {
    expect(holdsLockedPackages(locked, tree(packages))).toBe(false);
  });
});
