/**
 * `asked`: a caller wanted this flag. `listed`: it was one of all flags that a caller was given, whichever it goes on to use.
 * `unknown`: a caller wanted it and the channel has none of that key.
 */
export type UsageKind = 'asked' | 'listed' | 'unknown';

export interface FlagUsage {
  readonly project: string;
  readonly channel: string;
  readonly key: string;
  readonly kind: UsageKind;
  /** By variant; the empty name counts the code's default. */
  readonly counts: Readonly<Record<string, number>>;
  readonly lastAt: number;
}

interface Row {
  readonly counts: Map<string, number>;
  lastAt: number;
}

/** Keys per channel. Callers can make up unknown ones, so of these few are kept. */
const MAX_KEYS: Readonly<Record<UsageKind, number>> = { asked: 60_000, listed: 60_000, unknown: 1_000 };
const MAX_KEY_LENGTH = 200;
/** A flag is given few variants over its life; callers cannot make up any. */
const MAX_VARIANTS = 1_000;

/**
 * What was evaluated at this gateway since it started. Bounded: what is too much is counted as left out and nothing else. Knows no
 * context, no caller and no address.
 */
export class UsageCounter {
  private readonly channels: Readonly<Record<UsageKind, Map<string, Map<string, Row>>>> = {
    asked: new Map(),
    listed: new Map(),
    unknown: new Map(),
  };
  private left = 0;

  constructor(private readonly now: () => number) {}

  /** Evaluations that no row could be made for. */
  get leftOut(): number {
    return this.left;
  }

  /** `variant` null: the caller was left to its own default. */
  count(
    project: string,
    channel: string,
    key: string,
    variant: string | null,
    kind: UsageKind = 'asked',
  ): void {
    const row = this.row(kind, `${project}/${channel}`, key);
    const name = variant ?? '';
    if (row === null || (row.counts.size >= MAX_VARIANTS && !row.counts.has(name))) {
      this.left += 1;
      return;
    }
    row.counts.set(name, (row.counts.get(name) ?? 0) + 1);
    row.lastAt = this.now();
  }

  *read(): Generator<FlagUsage> {
    for (const kind of Object.keys(this.channels) as UsageKind[]) {
      for (const [address, rows] of this.channels[kind]) {
        const [project, channel] = address.split('/') as [string, string];
        for (const [key, { counts, lastAt }] of rows)
          yield { project, channel, key, kind, counts: Object.fromEntries(counts), lastAt };
      }
    }
  }

  private row(kind: UsageKind, channel: string, key: string): Row | null {
    const channels = this.channels[kind];
    let rows = channels.get(channel);
    if (rows === undefined) {
      rows = new Map();
      channels.set(channel, rows);
    }
    const found = rows.get(key);
    if (found !== undefined) return found;
    if (rows.size >= MAX_KEYS[kind] || key.length > MAX_KEY_LENGTH) return null;
    const row = { counts: new Map<string, number>(), lastAt: 0 };
    rows.set(key, row);
    return row;
  }
}
