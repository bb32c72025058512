/** How somebody learns that the new path is bad without counting reports. Closed: a new kind stops the build. */
export type SignalKind = 'crash' | 'objection' | 'local-rollback' | 'limit';

export interface SignalSource {
  /** An enrolled vendor speaks for all of its sites: its word alone is enough, where one site's is not. */
  readonly kind: 'site' | 'vendor';
  readonly name: string;
}

/** Plain JSON; a look records those that it weighed. */
export interface Signal {
  readonly kind: SignalKind;
  readonly source: SignalSource;
  /** When it became known. */
  readonly at: number;
  /** The crash signature, or what the source gave as its reason. */
  readonly detail: string;
}

/** Name of the site whose installation judges: its crashes and its broken limits are its own signals. */
export const OWN_SITE: SignalSource = { kind: 'site', name: 'local' };
