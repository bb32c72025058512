import { type FlagsVersion, parseVersion } from '../flag-set/flags-version.js';

/** A version of a channel's flags, and the source that it counts for: those of two sources cannot be compared. */
export interface SourceVersion {
  readonly root: string;
  readonly version: FlagsVersion;
}

/** As in the etag of an event: `<root>:<version>`. */
export const formatSourceVersion = (root: string, revision: string | null): string =>
  `${root}:${revision ?? ''}`;

/** Null for what is none of ours. */
export const parseSourceVersion = (text: string): SourceVersion | null => {
  const [, root, rest] = /^([a-z0-9_-]{1,64}):(.*)$/.exec(text) ?? [];
  const version = parseVersion(rest ?? '');
  return root === undefined || version === null ? null : { root, version };
};
