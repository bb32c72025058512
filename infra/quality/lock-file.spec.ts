import { lockDisagreements, lockedAddresses } from './lock-file.mjs';

const lock = (packages: object) => JSON.stringify({ lockfileVersion: 3, packages });

describe('the lock file', () => {
  test('may name workspaces as links, but no package by its address', () => {
    const text = lock({
      'node_modules/zod': { version: '4.0.0', resolved: 'https://registry.example/zod-4.0.0.tgz' },
      'node_modules/rxjs': { version: '7.8.2', integrity: 'sha512-x' },
      'node_modules/@headgate/trust': { resolved: 'libs/trust', link: true },
    });
    expect(lockedAddresses(text)).toEqual([
      expect.stringContaining('node_modules/zod names a download address'),
    ]);
  });

  test('agrees with every package.json, or the difference is named', () => {
    const text = lock({
      '': { devDependencies: { jest: '^30.0.0' } },
      'libs/trust': { dependencies: { zod: '^4.0.0' } },
    });
    const root = JSON.stringify({ devDependencies: { jest: '^30.0.0' } });
    const trust = (dependencies: object) => JSON.stringify({ name: '@headgate/trust', dependencies });

    const same = new Map([
      ['', root],
      ['libs/trust', trust({ zod: '^4.0.0' })],
    ]);
    expect(lockDisagreements(text, same)).toEqual([]);

    const moved = new Map([
      ['', root],
      ['libs/trust', trust({ zod: '^4.1.0', rxjs: '^7.0.0' })],
      ['libs/judge', '{}'],
    ]);
    expect(lockDisagreements(text, moved)).toEqual([
      'libs/trust/package.json: dependencies differ from package-lock.json in zod; run npm install and commit both',
      'libs/trust/package.json: dependencies differ from package-lock.json in rxjs; run npm install and commit both',
      'libs/judge/package.json: not in package-lock.json; run npm install and commit both',
    ]);
  });
});
