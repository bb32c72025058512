import { deepStrictEqual } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkFlagdFlag } from '@headgate/gateway';
import { Ajv } from 'ajv';
import type { Case, Suite } from './suite.js';

type FlagdFlag = Parameters<typeof checkFlagdFlag>[0];
type Verdict = (document: unknown) => boolean;

/** What the check of a flag does not see, because the gateway writes it itself. */
const NOT_OURS: Readonly<Record<string, string>> = {
  'with-invalid-flag-set-metadata.json':
    'metadata of a flag set are written by the gateway, never taken from outside',
};

/**
 * flagd's JSON Schemas over its own positive and negative files: that the schemas judge them as their folders say, and
 * that the check which every flag passes before it leaves the gateway judges them as the schemas do.
 */
export const flagdSchemaSuites = (path: string): readonly Suite[] => {
  const folder = join(path, 'flagd-schemas');
  const schemas = schemasIn(folder);
  return Object.keys(OURS).map((name) => {
    const files = filesIn(join(folder, 'test', name));
    return {
      name: `flagd-schemas ${name}`,
      cases: files.flatMap(({ file, document, isValid }): readonly Case[] => {
        const schema = schemaNameOf(document) ?? name;
        const judge = (verdict: Verdict | undefined) => () => deepStrictEqual(verdict?.(document), isValid);
        const theirs = { name: `${file}: the schema`, run: judge(schemas[schema]) };
        return file in NOT_OURS
          ? [theirs]
          : [theirs, { name: `${file}: our check`, run: judge(OURS[schema]) }];
      }),
      skipped: files.flatMap(({ file }) => {
        const reason = NOT_OURS[file];
        return reason ? [{ name: `${file}: our check`, reason }] : [];
      }),
    };
  });
};

/** A file may lie among those of one schema and name another, as editors read it. */
const schemaNameOf = (document: unknown): string | undefined => {
  const { $schema } = document as { readonly $schema?: string };
  return $schema && /(\w+)\.json$/.exec($schema)?.[1];
};

const takesFlag = (flag: unknown): boolean => checkFlagdFlag(flag as FlagdFlag) === null;

const OURS: Readonly<Record<string, Verdict>> = {
  flags: (document) => {
    const { flags } = document as { readonly flags: object };
    return !Array.isArray(flags) && Object.values(flags).every(takesFlag);
  },
  // the daemon's own file may list its flags
  flagd: (document) => Object.values((document as { readonly flags: object }).flags).every(takesFlag),
  targeting: (document) => rulesOf(document).every((targeting) => takesFlag({ ...ON, targeting })),
};

const ON = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };

/** A file of the targeting cases is one rule, or a list of them under `*`. */
const rulesOf = (document: unknown): readonly unknown[] => {
  const { '*': many } = document as { readonly '*'?: readonly unknown[] };
  return many ?? [document];
};

const schemasIn = (folder: string): Readonly<Record<string, Verdict>> => {
  // strictTuples and strictTypes are about the schema's own style, and its authors know
  const ajv = new Ajv({ strict: false });
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  for (const file of ['targeting.json', 'flags.json', 'flagd.json']) ajv.addSchema(read(file));
  const validate = (name: string): Verdict => {
    const compiled = ajv.getSchema(`https://flagd.dev/schema/v0/${name}.json`);
    if (!compiled) throw new Error(`flagd-schemas has no ${name}.json`);
    return (document) => compiled(document) === true;
  };
  const targeting = validate('targeting');
  return {
    flags: validate('flags'),
    flagd: validate('flagd'),
    targeting: (document) => rulesOf(document).every((rule) => targeting(rule)),
  };
};

const filesIn = (folder: string) =>
  readdirSync(folder)
    .sort()
    .flatMap((kind) =>
      readdirSync(join(folder, kind))
        .filter((file) => file.endsWith('.json'))
        .sort()
        .map((file) => ({
          file,
          document: JSON.parse(readFileSync(join(folder, kind, file), 'utf8')) as unknown,
          isValid: kind === 'positive',
        })),
    );
