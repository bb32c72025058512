import type { JsonValue } from '@headgate/contracts';
import type { Flag } from './flag.js';

/** What another flag's compilation needs of a flag. */
export type CompilableFlag = Pick<Flag, 'key' | 'status' | 'definition' | 'split'>;

/** The rest of a flag's channel, as far as its definition may refer to it. */
export interface Surroundings {
  /** The newest flag of that key. */
  readonly flag: (key: string) => CompilableFlag | undefined;
  /** The condition of an active segment. */
  readonly segment: (name: string) => JsonValue | undefined;
  /** What rules may read of a context; null: anything. */
  readonly attributes: readonly string[] | null;
}

/** Of a flag that refers to nothing. */
export const ALONE: Surroundings = {
  flag: () => undefined,
  segment: () => undefined,
  attributes: null,
};

/** The same channel with every kill lifted: what documents may grow to without a change of any definition. */
export const withoutKills = (around: Surroundings): Surroundings => ({
  ...around,
  flag: (key) => {
    const flag = around.flag(key);
    return flag?.status === 'killed' ? { ...flag, status: 'active' } : flag;
  },
});

/** The same channel with one flag in the place of its namesake. */
export const withFlag = (around: Surroundings, flag: CompilableFlag): Surroundings => ({
  ...around,
  flag: (key) => (key === flag.key ? flag : around.flag(key)),
});

/** The same channel with one segment's condition in the place of its namesake's. */
export const withSegment = (around: Surroundings, name: string, when: JsonValue): Surroundings => ({
  ...around,
  segment: (wanted) => (wanted === name ? when : around.segment(wanted)),
});
