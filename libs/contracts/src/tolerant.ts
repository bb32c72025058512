import { z } from 'zod';

/**
 * An object whose unknown fields are kept and ignored, as every reader of DESIGN.md §7 must. The type names only the fields
 * we know: an index signature would let misspelt names compile.
 */
export const tolerant = <S extends z.ZodRawShape>(shape: S): z.ZodObject<S> =>
  z.looseObject(shape) as unknown as z.ZodObject<S>;
