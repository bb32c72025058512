import type { FlagDocument } from '@headgate/contracts';

/** A flag as flagd's JSON Schema knows it (`https://flagd.dev/schema/v0/flags.json`). */
export interface FlagdFlag {
  readonly state: 'ENABLED' | 'DISABLED';
  readonly variants: { readonly [variant: string]: unknown };
  readonly defaultVariant?: string | null;
  readonly targeting?: unknown;
  readonly metadata?: { readonly [name: string]: string | number | boolean };
}

/**
 * What flagd needs of a document. A flag that is off goes without its targeting, so that no fault in it can hold up a kill.
 * A rule that is a bare literal, as our own clients take it, is written as the operator that flagd's schema asks for.
 */
export const flagdFlag = (document: FlagDocument): FlagdFlag => {
  const { state, variants, defaultVariant, targeting, metadata } = document;
  const hasTargeting = state === 'ENABLED' && targeting !== undefined && targeting !== null;
  return {
    state,
    variants,
    ...(defaultVariant === undefined ? {} : { defaultVariant }),
    ...(hasTargeting
      ? { targeting: typeof targeting === 'object' ? targeting : { if: [true, targeting] } }
      : {}),
    ...(metadata === undefined ? {} : { metadata }),
  };
};
