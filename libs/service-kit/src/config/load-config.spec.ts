import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import { fuzzRun } from '../../../../test/support/fuzz-run.js';
import { ConfigError } from './config-error.js';
import { loadConfig } from './load-config.js';

const schema = z.strictObject({
  natsUrl: z.string().min(1).default('nats://127.0.0.1'),
  httpPort: z.int().min(0).max(65_535).default(0),
  isQuiet: z.boolean().default(false),
  rounds: z.number().optional(),
  natsPassword: z.string().min(8).optional().meta({ secret: true }),
  databaseUrl: z.string().optional().meta({ env: 'DATABASE_URL', secret: true }),
  sources: z.array(z.string()).default([]),
});

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hg-config-'));
  file = join(folder, 'config.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const problemsOf = (load: () => unknown): readonly string[] => {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('a configuration', () => {
  it('takes flags over environment over file over defaults, and says which it was', () => {
    writeFileSync(file, '{"natsUrl": "file", "httpPort": 1, "rounds": 1.5}');
    const { value, effective } = loadConfig(schema, {
      env: { HEADGATE_NATS_URL: 'env', HEADGATE_HTTP_PORT: '2' },
      file,
      flags: { httpPort: 3, natsUrl: undefined },
    });
    expect(value).toEqual({ natsUrl: 'env', httpPort: 3, rounds: 1.5, isQuiet: false, sources: [] });
    expect(Object.entries(effective).map(([key, { from }]) => `${key} ${from}`)).toEqual([
      'natsUrl env',
      'httpPort flag',
      'isQuiet default',
      'rounds file',
      'natsPassword default',
      'databaseUrl default',
      'sources default',
    ]);
  });

  it('reads text as what the schema wants', () => {
    const { value } = loadConfig(schema, {
      env: {
        HEADGATE_IS_QUIET: '1',
        HEADGATE_ROUNDS: '2.5',
        HEADGATE_SOURCES: '["a","b"]',
        DATABASE_URL: 'postgres://x',
        HEADGATE_NATS_URL: '',
      },
    });
    expect(value).toMatchObject({
      isQuiet: true,
      rounds: 2.5,
      sources: ['a', 'b'],
      databaseUrl: 'postgres://x',
      natsUrl: 'nats://127.0.0.1',
    });
  });

  it('names every fault at once, by the variable to set, and never a value', () => {
    writeFileSync(file, '{"colour": "red", "rounds": "many"}');
    const problems = problemsOf(() =>
      loadConfig(schema, { env: { HEADGATE_HTTP_PORT: '99999', HEADGATE_NATS_PASSWORD: 'hunter2' }, file }),
    );
    expect(problems).toEqual([
      expect.stringMatching(/unknown field "colour"/),
      expect.stringMatching(/^HEADGATE_HTTP_PORT: .*Set HEADGATE_HTTP_PORT, or "httpPort"/),
      expect.stringMatching(/^field "rounds" of .*config.json: /),
      expect.stringMatching(/^HEADGATE_NATS_PASSWORD: /),
    ]);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('takes a secret from a file and shows it in no effective form', () => {
    writeFileSync(join(folder, 'secret'), 'correct horse\n');
    const { value, effective } = loadConfig(schema, {
      env: { HEADGATE_NATS_PASSWORD_FILE: join(folder, 'secret'), HEADGATE_NATS_URL: 'nats://u:hunter22@h' },
    });
    expect(value.natsPassword).toBe('correct horse');
    expect(JSON.stringify(effective)).not.toMatch(/correct horse|hunter22/);
    expect(effective.natsPassword).toEqual({ value: '[redacted]', from: 'env' });
    const missing = problemsOf(() =>
      loadConfig(schema, { env: { HEADGATE_NATS_PASSWORD_FILE: '/nowhere' } }),
    );
    expect(missing).toEqual([
      expect.stringContaining('HEADGATE_NATS_PASSWORD_FILE: cannot read /nowhere (ENOENT)'),
    ]);
  });

  it('is an error, never a crash, for any bytes in the file and any text in the environment', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.json().map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, fc.string(), fc.string(), (content, port, sources) => {
        writeFileSync(file, content);
        problemsOf(() =>
          loadConfig(schema, { env: { HEADGATE_HTTP_PORT: port, HEADGATE_SOURCES: sources }, file }),
        );
      }),
      fuzzRun('configuration files and variables', 300),
    );
  });
});
