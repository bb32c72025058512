import { compiledBytes } from './flag/check-size.js';
import type { Flag } from './flag/flag.js';
import type { Surroundings } from './flag/surroundings.js';
import type { ProjectState } from './project-state.js';

/**
 * flagd clients get a channel as one message, and gRPC takes 4 MiB of it by default. Counted is what the definitions bring;
 * the rest is for names and metadata of each flag.
 */
const MAX_CHANNEL_BYTES = 4 * 1_048_576;
const BYTES_PER_FLAG = 300;

/**
 * A flag's value is a new one whenever its document changes, for what it refers to as well: so its size can be kept with it. It
 * is a memory only; who loses it measures again.
 */
const measured = new WeakMap<Flag, number>();

const bytesOf = (flag: Flag, around: Surroundings): number => {
  const known = measured.get(flag);
  if (known !== undefined) return known;
  const bytes = flag.key.length + BYTES_PER_FLAG + compiledBytes(flag, around);
  measured.set(flag, bytes);
  return bytes;
};

/**
 * How many bytes too many a channel’s full state would take with these flags in place of their namesakes; 0 when it fits, or
 * when it takes no more than before.
 */
export const bytesOver = (
  state: ProjectState,
  channel: string,
  around: Surroundings,
  changed: readonly Pick<Flag, 'id' | 'key' | 'definition' | 'status' | 'split'>[],
  limit = MAX_CHANNEL_BYTES,
  before = around,
): number => {
  const ids = new Set(changed.map(({ id }) => id));
  let [now, then] = [0, 0];
  for (const flag of state.flags.values()) {
    if (flag.channel !== channel || flag.status === 'archived') continue;
    const bytes = bytesOf(flag, before);
    now += bytes;
    if (!ids.has(flag.id)) then += bytes;
  }
  for (const flag of changed) then += flag.key.length + BYTES_PER_FLAG + compiledBytes(flag, around);
  return then > limit && then > now ? then - limit : 0;
};
