import type { z } from 'zod';
import { envName, fieldMeta } from './env-name.js';

/** One setting as its documentation needs it. */
export interface ConfigField {
  readonly key: string;
  readonly variable: string;
  readonly isSecret: boolean;
  readonly isRequired: boolean;
  readonly fallback: unknown;
}

export const configFields = (schema: z.ZodObject): readonly ConfigField[] =>
  Object.entries(schema.shape as Readonly<Record<string, z.ZodType>>).map(([key, field]) => {
    const absent = field.safeParse(undefined);
    return {
      key,
      variable: envName(key, field),
      isSecret: fieldMeta(field).secret === true,
      isRequired: !absent.success,
      fallback: absent.data,
    };
  });
