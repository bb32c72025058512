import type { z } from 'zod';

/** What a field of a configuration schema may say of itself with `.meta({…})`. */
export interface FieldMeta {
  /** Name of the environment variable; `HEADGATE_` + the field in upper snake case when absent. */
  readonly env?: string;
  /** Never printed, in no form. */
  readonly secret?: boolean;
}

export const fieldMeta = (field: z.ZodType): FieldMeta => (field.meta() ?? {}) as FieldMeta;

/** `natsUrl` → `HEADGATE_NATS_URL`. */
export const envName = (key: string, field: z.ZodType): string =>
  fieldMeta(field).env ?? `HEADGATE_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

interface Wrapped {
  readonly def: { readonly type: string; readonly innerType?: Wrapped; readonly in?: Wrapped };
}

const WRAPPERS: readonly string[] = ['default', 'prefault', 'optional', 'nullable', 'readonly', 'catch'];

const innermost = (field: Wrapped): string => {
  const { type, innerType, in: input } = field.def;
  if (WRAPPERS.includes(type) && innerType) return innermost(innerType);
  if (type === 'pipe' && input) return innermost(input);
  return type;
};

/** An environment variable is text; what it stands for is said by the schema. Text that does not fit is left for the schema to refuse. */
export const readEnvValue = (text: string, field: z.ZodType): unknown => {
  switch (innermost(field as unknown as Wrapped)) {
    case 'number':
    case 'int':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
    case 'boolean':
      return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
    case 'array':
    case 'object':
    case 'record':
      return parseOrKeep(text);
    default:
      return text;
  }
};

const parseOrKeep = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};
