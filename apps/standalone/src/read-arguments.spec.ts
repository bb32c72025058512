import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '@headgate/service-kit';
import fc from 'fast-check';
import { fuzzRun } from '../../../test/support/fuzz-run.js';
import { readArguments } from './read-arguments.js';
import { standaloneConfig } from './standalone-config.js';

const BUNDLE = {
  schema: 'headgate.vendor-bundle.v1',
  name: 'up',
  leafUrl: 'nats-leaf://127.0.0.1:7422',
  vendor: 'acme',
  password: 'x'.repeat(32),
  pin: `sha256:${'0'.repeat(64)}`,
};

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hg-args-'));
  file = join(folder, 'bundle.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const load = (args: readonly string[]) =>
  loadConfig(standaloneConfig, { env: {}, flags: readArguments(args).flags }).value;

/** What is wrong, or null when all is well. Anything but a `ConfigError` is a crash. */
const refusalOf = (args: readonly string[]): string | null => {
  try {
    load(args);
    return null;
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    return cause.message;
  }
};

describe('npm start', () => {
  it('takes the bundle that an upstream printed', () => {
    writeFileSync(file, JSON.stringify({ ...BUNDLE, later: 'more' }));
    expect(load(['--upstream', file, '--port', '8080'])).toMatchObject({
      httpPort: 8080,
      upstreams: [{ ...BUNDLE, later: 'more' }],
    });
  });

  it('refuses any other arguments with a reason, never with a crash', () => {
    const options = [
      '--data-dir',
      '--name',
      '--host',
      '--port',
      '--upstream',
      '--ready-file',
      '--json',
      '--',
    ];
    const word = fc.oneof(fc.constantFrom(...options), fc.string({ maxLength: 12 }), fc.nat().map(String));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        expect(refusalOf(words)).not.toBe('');
      }),
      fuzzRun('the arguments of npm start', 500),
    );
  });

  it('refuses any other bundle by its fields or its file, and never shows the password', () => {
    const fields = Object.keys(BUNDLE);
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .tuple(fc.constantFrom(...fields), fc.jsonValue())
        .map(([field, value]) => Buffer.from(JSON.stringify({ ...BUNDLE, [field]: value }))),
    );
    fc.assert(
      fc.property(content, (bytes) => {
        writeFileSync(file, bytes);
        const refusal = refusalOf(['--upstream', file]);
        if (refusal === null) return;
        expect(refusal).toMatch(/HEADGATE_UPSTREAMS|upstreams|bundle\.json/);
        expect(refusal).not.toContain(BUNDLE.password);
      }),
      fuzzRun('bundle files', 500),
    );
    expect(refusalOf(['--upstream', join(folder, 'none.json')])).toContain('none.json: ENOENT');
  });
});
