import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileTargeting } from '@headgate/domain';
import { compileFlag } from '@headgate/evaluation';
import { describeWhereFound } from '@headgate/testing';
import { FlagdCore } from '@openfeature/flagd-core';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { flagdFiles, flagFiles } from '../flag-file.fixture.js';
import type { FlagFile } from '../flag-file.js';
import { formatFlagFile } from '../format-flag-file.js';
import { parseFlagFile } from '../parse-flag-file.js';
import { compilable, surroundingsOf } from '../surroundings.js';
import { exportFlagd } from './export-flagd.js';
import { importFlagd } from './import-flagd.js';

const RUNS = 100;
const CONFORMANCE = join(process.cwd(), '..', 'shared', 'conformance');
const jsonOf = (file: FlagFile): string => JSON.stringify(exportFlagd(file).json);

const imported = (text: string): FlagFile => {
  const { file, problems, report } = importFlagd(text);
  expect(problems).toEqual([]);
  expect(report.notCarried).toEqual([]);
  return file as FlagFile;
};

describe('flagd documents', () => {
  it('come back as they went in, through the readable file too', () => {
    fc.assert(
      fc.property(flagdFiles, fc.boolean(), (file, isArray) => {
        const json = jsonOf({
          ...file,
          flagd: { schema: 'https://flagd.dev/schema/v0/flags.json', isArray },
        });
        const { file: read, problems } = parseFlagFile(formatFlagFile(imported(json)));
        expect(problems).toEqual([]);
        expect(JSON.parse(jsonOf(read as FlagFile))).toEqual(JSON.parse(json));
      }),
      { numRuns: RUNS },
    );
  });

  describeWhereFound('shared', 'of flagd’s own repositories', () => {
    const documents = [
      ...['full', 'minimal'].map((name) => join('flagd-schemas', 'examples', `${name}.json`)),
      ...['flags/positive', 'flagd/positive'].flatMap((folder) =>
        filesOf(join('flagd-schemas', 'test', ...folder.split('/'))),
      ),
      ...filesOf(join('flagd-testbed', 'evaluator', 'flags')),
    ];

    it('are all there', () => {
      expect(documents.length).toBeGreaterThanOrEqual(14);
    });

    it.each(documents)('%s comes back whole', (path) => {
      const json: unknown = JSON.parse(readFileSync(join(CONFORMANCE, path), 'utf8'));
      const { file } = parseFlagFile(formatFlagFile(imported(JSON.stringify(json))));
      expect(exportFlagd(file as FlagFile).json).toEqual(json);
    });
  });

  it('that are broken are left out flag by flag, each with its line', () => {
    const { file, report } = importFlagd(`{
  "flags": {
    "good": {"state": "ENABLED", "variants": {"on": true}},
    "bad state": {"state": "ENABLED", "variants": {"on": true}},
    "worse": {"state": "on", "variants": {"on": true}},
    "odd": {"state": "ENABLED", "variants": {"on": true}, "owner": "me"}
  }
}`);
    expect(Object.keys(file?.flags ?? {})).toEqual(['good', 'odd']);
    expect(report.notCarried.map(({ flag, line }) => `${flag}:${line}`)).toEqual([
      'bad state:4',
      'worse:5',
      'odd:6',
    ]);
  });
});

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(join(CONFORMANCE, folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(folder, name));
  } catch {
    // Where the folder is missing the group above is counted as not run.
    return [];
  }
}

describe('flags of Headgate as flagd JSON', () => {
  it('come back with rules, ramps, schedules and prerequisites', () => {
    fc.assert(
      fc.property(flagFiles, (file) => {
        const { channel: _, ...rest } = file;
        expect(imported(jsonOf(file))).toEqual(rest);
      }),
      { numRuns: RUNS },
    );
  });

  it('are evaluated by flagd as by Headgate', () => {
    const contexts = fc.array(
      fc.dictionary(
        fc.constantFrom('targetingKey', 'os', 'a', 'b'),
        fc.constantFrom('a', 'b', 'debian', 'x1'),
        { maxKeys: 3 },
      ),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(flagFiles, contexts, (file, all) => {
        const core = new FlagdCore(undefined, SILENT);
        core.setConfigurations(jsonOf(file));
        for (const key of Object.keys(file.flags))
          for (const context of all)
            expect(servedByFlagd(core, key, context)).toEqual(served(file, key, context));
      }),
      { numRuns: RUNS },
    );
  });

  describeWhereFound('shared', 'by flagd’s JSON Schema', () => {
    it('are valid', () => {
      const schema = (name: string): object =>
        JSON.parse(readFileSync(join(CONFORMANCE, 'flagd-schemas', `${name}.json`), 'utf8')) as object;
      const ajv = new Ajv({ strict: false, validateFormats: false });
      ajv.addSchema(schema('targeting'));
      const validate = ajv.compile(schema('flags'));
      fc.assert(
        fc.property(flagFiles, (file) => {
          validate(exportFlagd(file).json);
          expect(validate.errors ?? []).toEqual([]);
        }),
        { numRuns: RUNS },
      );
    });
  });

  it('fall back to one targeting where the document was edited since', () => {
    const { file } = parseFlagFile(`schema: headgate.flags.v1
flags:
  a: {state: ENABLED, variants: {x: 1, y: 2}, defaultVariant: x, owner: me, rules: [{when: {var: beta}, serve: {variant: y}}]}
`);
    const { json } = exportFlagd(file as FlagFile);
    const edited = JSON.parse(
      JSON.stringify(json).replace('"defaultVariant":"x"', '"defaultVariant":"y"'),
    ) as unknown;
    const again = importFlagd(JSON.stringify(edited));
    expect(again.file?.flags.a).toEqual({
      state: 'ENABLED',
      variants: { x: 1, y: 2 },
      defaultVariant: 'y',
      overridable: 'none',
      targeting: { if: [{ var: 'beta' }, 'y', null] },
      metadata: {},
    });
    expect(again.report.notCarried).toMatchObject([
      { flag: 'a', why: expect.stringMatching(/changed since/) },
    ]);
  });

  it('say what flagd has no place for', () => {
    const { file } = parseFlagFile(
      'schema: headgate.flags.v1\nsegments: {beta: {when: true, description: who dares}}\nflags: {}\n',
    );
    expect(exportFlagd(file as FlagFile).notCarried).toMatchObject([
      { flag: 'beta', place: 'segments.beta.description' },
    ]);
  });
});

const SILENT = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};

const served = (file: FlagFile, key: string, context: object): unknown => {
  const flag = compilable(file, key);
  if (!flag) throw new Error(key);
  const { state, variants } = flag.definition;
  const { targeting, defaultVariant } = compileTargeting(flag, surroundingsOf(file));
  const evaluate = compileFlag({ key, state, variants, defaultVariant, targeting }, { now: Date.now });
  const { variant, reason } = evaluate(context as never);
  return reason === 'ERROR' ? 'error' : variant;
};

const servedByFlagd = (core: FlagdCore, key: string, context: object): unknown => {
  const flag = core.getFlag(key);
  if (!flag) throw new Error(`flagd did not take flag ${key}`);
  const [value] = flag.variants.values();
  const asked = context as never;
  const { variant, reason } =
    typeof value === 'boolean'
      ? core.resolveBooleanEvaluation(key, false, asked)
      : typeof value === 'string'
        ? core.resolveStringEvaluation(key, '', asked)
        : typeof value === 'number'
          ? core.resolveNumberEvaluation(key, 0, asked)
          : core.resolveObjectEvaluation(key, {}, asked);
  return reason === 'ERROR' ? 'error' : variant;
};
