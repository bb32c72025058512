import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findMissingReferences } from './project-references.mjs';

describe('references between projects', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'headgate-references-'));
    project('.', ['./libs/contracts', './libs/trust', './apps/gateway', './test']);
    project('libs/contracts', []);
    project('libs/trust', ['../../libs/contracts']);
    project('apps/gateway', ['../../libs/trust/']);
    write(
      'test/tsconfig.json',
      '{\n  // benches\n  "references": [{ "path": "../libs/trust/tsconfig.json" }]\n}\n',
    );
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    return file;
  };
  const project = (folder: string, references: readonly string[]) =>
    write(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ references: references.map((path) => ({ path })) }),
    );

  test('are all there when each import has one', () => {
    const files = [
      write('libs/trust/src/a.ts', "import type { Flag } from '@headgate/contracts';"),
      write('apps/gateway/src/a.ts', "export { check } from '@headgate/trust';\nimport { z } from 'zod';"),
      write('test/bench/a.ts', "const trust = await import('@headgate/trust');"),
    ];
    expect(findMissingReferences(root, files)).toEqual({ seen: 3, offences: [] });
  });

  test('are missed in product and test code, once for each', () => {
    const files = [
      write('apps/gateway/src/a.ts', "import {\n  type Flag,\n} from '@headgate/contracts';"),
      write('test/bench/a.ts', "const gateway = await import('@headgate/gateway');"),
    ];
    expect(findMissingReferences(root, files).offences).toEqual([
      'apps/gateway/tsconfig.json: has no reference to libs/contracts, which apps/gateway/src/a.ts imports',
      'test/tsconfig.json: has no reference to apps/gateway, which test/bench/a.ts imports',
    ]);
  });

  test('are not asked of specs, which are not built', () => {
    const files = [write('libs/contracts/src/a.spec.ts', "import { check } from '@headgate/trust';")];
    expect(findMissingReferences(root, files)).toEqual({ seen: 0, offences: [] });
  });
});
