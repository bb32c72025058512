import type { FlagDefinition, JsonValue } from '@headgate/contracts';
import { compileTargeting } from '@headgate/domain';
import type { FlagFile } from '../flag-file.js';
import type { NotCarried } from '../report.js';
import { compilable, surroundingsOf } from '../surroundings.js';

/** Entry of a flag's metadata that keeps what flagd has no field for; `importFlagd` reads it back. */
export const DEFINITION_ENTRY = 'headgate.definition';

export interface FlagdExport {
  /** A flagd document: map form, or the array form that it was read from. */
  readonly json: { readonly [key: string]: JsonValue };
  readonly notCarried: readonly NotCarried[];
}

export interface FlagdExportOptions {
  /** Keep what flagd has no field for in the flags' metadata, which clients get with every evaluation. Default: true. */
  readonly keepsDefinitions?: boolean;
}

/** Fields that flagd has, and that mean the same there. */
const FLAGD_FIELDS = ['state', 'variants', 'defaultVariant', 'targeting', 'metadata'];
const DECIDING = ['rules', 'fallthrough', 'schedule', 'prerequisites'] as const;

/**
 * The file as flagd JSON, which any flagd client evaluates as Headgate does: rules, schedules, ramps and prerequisites are
 * compiled into `targeting`. A flag that is flagd's own is given back as it came.
 */
export const exportFlagd = (file: FlagFile, options: FlagdExportOptions = {}): FlagdExport => {
  const keeps = options.keepsDefinitions ?? true;
  const flags = Object.keys(file.flags).map((key) => [key, flagdFlag(file, key, keeps)] as const);
  const segments = Object.entries(file.segments ?? {});
  const { schema, isArray } = file.flagd ?? {};
  return {
    json: {
      ...(schema === undefined ? {} : { $schema: schema }),
      ...(file.metadata === undefined ? {} : { metadata: file.metadata }),
      flags: isArray ? flags.map(([key, flag]) => ({ key, ...flag })) : Object.fromEntries(flags),
      ...(file.segments === undefined
        ? {}
        : { $evaluators: Object.fromEntries(segments.map(([name, { when }]) => [name, when])) }),
    },
    notCarried: segments
      .filter(([, { description }]) => description !== undefined)
      .map(([name]) => ({
        flag: name,
        place: `segments.${name}.description`,
        line: 1,
        why: 'flagd has no description of an evaluator',
        mend: 'Keep the flag file beside the export.',
      })),
  };
};

const flagdFlag = (file: FlagFile, key: string, keeps: boolean): { readonly [field: string]: JsonValue } => {
  const flag = compilable(file, key);
  if (!flag) throw new Error(`flag ${key} is not in the file`);
  const { definition } = flag;
  const { state, variants, metadata } = definition;
  const { targeting, defaultVariant } = isFlagds(definition)
    ? definition
    : compileTargeting(flag, surroundingsOf(file));
  const kept: Record<string, string> =
    keeps && !isWhole(definition) ? { [DEFINITION_ENTRY]: JSON.stringify(definition) } : {};
  return {
    state,
    variants,
    ...(defaultVariant === undefined ? {} : { defaultVariant }),
    ...(targeting === undefined ? {} : { targeting }),
    ...(metadata === undefined && Object.keys(kept).length === 0
      ? {}
      : { metadata: { ...metadata, ...kept } }),
  };
};

/** Does flagd decide about it as it stands? Its `$ref`s are flagd's own. */
const isFlagds = (definition: FlagDefinition): boolean =>
  DECIDING.every((field) => definition[field] === undefined);

/** Does flagd have a field for everything it says? */
const isWhole = (definition: FlagDefinition): boolean =>
  Object.entries(definition).every(
    ([field, value]) =>
      FLAGD_FIELDS.includes(field) || value === undefined || (field === 'overridable' && value === 'none'),
  );
