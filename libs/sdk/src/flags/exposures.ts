import { REPORT_LIMITS } from '@headgate/contracts';

interface VariantCount {
  /** Undefined: the default in the code. */
  readonly variant: string | undefined;
  count: number;
}

export interface Exposure {
  readonly flag: string;
  readonly variant?: string;
  readonly count: number;
}

/** What one flag served. Counting a variant that was served before touches two fields and allocates nothing. */
export class FlagExposures {
  /** Name of the variant served last; undefined while only the code's default was. */
  variant: string | undefined = undefined;
  isEnded = false;
  private last: VariantCount | null = null;
  private readonly counts: VariantCount[] = [];

  constructor(private readonly admits: () => boolean) {}

  add(variant: string | undefined): void {
    this.variant = variant;
    if (this.last !== null && this.last.variant === variant) this.last.count += 1;
    else this.addOther(variant);
  }

  get size(): number {
    return this.counts.length;
  }

  *counted(flag: string): Generator<Exposure> {
    for (const { variant, count } of this.counts)
      yield { flag, ...(variant === undefined ? {} : { variant }), count };
  }

  private addOther(variant: string | undefined): void {
    let found = this.counts.find((one) => one.variant === variant);
    if (found === undefined) {
      if (!this.admits()) return;
      found = { variant, count: 0 };
      this.counts.push(found);
    }
    found.count += 1;
    this.last = found;
  }
}

/**
 * How often each variant of each flag was served since this process began. No more than a report may carry: beyond that the
 * counts of flags that ended make room, and what still finds none is only counted as dropped.
 */
export class Exposures {
  private readonly flags = new Map<string, FlagExposures>();
  private size = 0;
  private hasEnded = false;
  private droppedCount = 0;

  constructor(private readonly limit: number = REPORT_LIMITS.maxExposuresPerReport) {}

  get dropped(): number {
    return this.droppedCount;
  }

  /** The same for the same key, whatever became of the flag in between: what was counted stays counted. */
  of(key: string): FlagExposures {
    let found = this.flags.get(key);
    if (found === undefined) {
      found = new FlagExposures(() => this.admit());
      this.flags.set(key, found);
    }
    found.isEnded = false;
    return found;
  }

  end(key: string): void {
    const found = this.flags.get(key);
    if (found === undefined) return;
    found.variant = undefined;
    found.isEnded = true;
    this.hasEnded = true;
  }

  *counted(): Generator<Exposure> {
    for (const [key, flag] of this.flags) yield* flag.counted(key);
  }

  /** Variant served last of every flag that was evaluated in this process and is still there. */
  *served(): Generator<{ readonly name: string; readonly value: string }> {
    for (const [name, { variant }] of this.flags) if (variant !== undefined) yield { name, value: variant };
  }

  private admit(): boolean {
    if (this.size >= this.limit && this.hasEnded) this.forgetEnded();
    if (this.size >= this.limit) {
      this.droppedCount += 1;
      return false;
    }
    this.size += 1;
    return true;
  }

  private forgetEnded(): void {
    for (const [key, flag] of this.flags) {
      if (!flag.isEnded) continue;
      this.size -= flag.size;
      this.flags.delete(key);
    }
    this.hasEnded = false;
  }
}
