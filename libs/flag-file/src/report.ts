import type { FlagFile, Problem } from './flag-file.js';

/** Something that the other system says and a flag file cannot, or not in the same way. */
export interface NotCarried {
  /** Key of the flag, or the name of the segment; empty for the whole file. */
  readonly flag: string;
  /** Where in the source: `features[2].strategies[0]`, with its line where the text has lines. */
  readonly place: string;
  readonly line: number;
  readonly why: string;
  readonly mend: string;
}

/** How many of the targeting keys that reach a split get another arm than the other system gave them. */
export interface VariantChange {
  readonly flag: string;
  readonly place: string;
  readonly keys: number;
  readonly changed: number;
  /** `changed / keys`. */
  readonly share: number;
  readonly seed: string;
  /** Keys that would have changed, and keep their variant by a rule that names them. */
  readonly pinned: number;
  /** Some keys that change, to look into. */
  readonly examples: readonly string[];
}

export interface ImportReport {
  /** Keys of the flags that the file has. */
  readonly carried: readonly string[];
  readonly notCarried: readonly NotCarried[];
  readonly variantChanges: readonly VariantChange[];
}

export interface Imported {
  /** Null when the source could not be read at all; then `problems` say why. */
  readonly file: FlagFile | null;
  readonly problems: readonly Problem[];
  readonly report: ImportReport;
}

export interface ImportOptions {
  /** Whom splits are compared for. */
  readonly keys?: readonly string[];
  /** Splits that shared their buckets in the other system share them here, and with keys the best seed is looked for. */
  readonly isSeedCompatible?: boolean;
  /** Given keys that would change all the same keep their variant by rules that name them. */
  readonly pinsKeys?: boolean;
}

export const unread = (problems: readonly Problem[]): Imported => ({
  file: null,
  problems,
  report: { carried: [], notCarried: [], variantChanges: [] },
});
