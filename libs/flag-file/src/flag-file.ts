import type { FlagDefinition, SegmentDefinition } from '@headgate/contracts';

export const FLAG_FILE_SCHEMA = 'headgate.flags.v1';

/** Flags and segments of one channel as people keep them in a file. */
export interface FlagFile {
  readonly schema: typeof FLAG_FILE_SCHEMA;
  /** The channel it was exported from; an import says itself where to. */
  readonly channel?: string;
  /** flagd's metadata of the whole set, which clients get with every flag. */
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
  /** What a flagd document says about its own form. */
  readonly flagd?: { readonly schema?: string; readonly isArray?: boolean };
  readonly segments?: Readonly<Record<string, SegmentDefinition>>;
  readonly flags: Readonly<Record<string, FlagDefinition>>;
}

/** One thing wrong with a text: where, what, and how to mend it. Lines and columns count from 1. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  /** `flags.new-parser.rules[0].when`; empty for the whole text. */
  readonly path: string;
  readonly message: string;
  readonly mend: string;
}

export type Path = readonly (string | number)[];

/** `flags.new-parser.rules[0].when` */
export const showPath = (path: Path): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
