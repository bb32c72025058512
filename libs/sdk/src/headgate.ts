import type { FlagDocument, InstanceReport } from '@headgate/contracts';
import type { EvaluationContext, EvaluationReason } from '@headgate/evaluation';
import type { Freshness } from '@headgate/trust';
import type { Counter, Gauge } from './telemetry/meters.js';

export type FlagErrorCode =
  | 'FLAG_NOT_FOUND'
  | 'TYPE_MISMATCH'
  | 'PARSE_ERROR'
  | 'INVALID_CONTEXT'
  | 'PROVIDER_NOT_READY'
  | 'GENERAL';

export type FlagMetadata = Readonly<Record<string, string | number | boolean>>;

export interface FlagDetails<T> {
  readonly value: T;
  /** Absent when the default in the code was served. */
  readonly variant?: string;
  /** `STALE`: a variant was served, from a state whose newest beat is past its expiry. */
  readonly reason: EvaluationReason | 'STALE';
  readonly stale: boolean;
  /** Since the newest verified beat; null when there was none. */
  readonly ageMs: number | null;
  /** SHA-256 of the signed document. */
  readonly flagDigest?: string;
  /** Of the event in the project's log that the document comes from. */
  readonly position?: number;
  /** The channel as `flagSetId`, its revision as `version`, and the flag's own metadata over them; empty before flags are known. */
  readonly metadata: FlagMetadata;
  readonly error?: { readonly code: FlagErrorCode; readonly message: string };
}

export interface FlagsChanged {
  readonly source: 'gateway' | 'copy';
  readonly epoch: number;
  readonly n: number;
  /** Newest position of the project's log that the channel's head covers. */
  readonly position: number;
  /** `document` is null for a flag that ended. */
  readonly flags: readonly { readonly key: string; readonly document: FlagDocument | null }[];
}

export interface Problem {
  readonly at: number;
  readonly code: string;
  readonly message: string;
}

export interface HeadgateStatus {
  /**
   * `connected`: something was verified on the stream that is open. `polling`: the same by asking now and then, where no
   * stream comes through. `off`: the options were of no use (see `problems`), or the client was closed.
   */
  readonly connection: 'connecting' | 'connected' | 'polling' | 'waiting' | 'off';
  /** Where the flags come from: nothing yet, the local copy on disk, or the gateway. */
  readonly flags: 'none' | 'copy' | 'live';
  readonly head: {
    readonly epoch: number;
    readonly n: number;
    readonly position: number;
    readonly documentCount: number;
    readonly setDigest: string;
  } | null;
  readonly freshness: Freshness;
  readonly telemetry: {
    readonly isOn: boolean;
    readonly instance: string | null;
    readonly bootId: string | null;
    readonly accepted: number;
    readonly lastAcceptedAt: number | null;
    /** What found no room: reports that were never accepted, and things counted beyond what a report may carry. */
    readonly dropped: { readonly reports: number; readonly exposures: number; readonly unknownFlags: number };
  };
  /** The newest twenty; `count` of all. */
  readonly problems: readonly Problem[];
  readonly problemCount: number;
}

/**
 * Flags of one channel, evaluated in this process, and this instance's reports. No method throws or rejects: whatever is
 * wrong, the caller gets the default it passed, and `status()` and `details()` say why.
 */
export interface Headgate {
  /**
   * `context.targetingKey` is this instance's own unless the caller brings one. A flag in a rollout is judged by instances:
   * bring none for it, or the judge cannot tell the arms apart (`status()` says so).
   */
  boolean(key: string, fallback: boolean, context?: EvaluationContext): boolean;
  string(key: string, fallback: string, context?: EvaluationContext): string;
  number(key: string, fallback: number, context?: EvaluationContext): number;
  object<T extends object>(key: string, fallback: T, context?: EvaluationContext): T;
  /** The type of `fallback` is the type the flag has to have. */
  details<T extends boolean | string | number | object>(
    key: string,
    fallback: T,
    context?: EvaluationContext,
  ): FlagDetails<T>;
  /** Returns what takes the listener away. Called after the new flags are in force. */
  on(event: 'change', listener: (change: FlagsChanged) => void): () => void;
  on(event: 'status', listener: (status: HeadgateStatus) => void): () => void;
  counter(name: string): Counter;
  gauge(name: string): Gauge;
  event(name: string): void;
  health(state: InstanceReport['health']): void;
  /**
   * For a handler of the last resort: this process is ending, and why. `signature` names the fault, the same words for the same fault
   * and no data of anybody. On disk (`dataDir`) when this returns; told by the next report, of this process or of the next one.
   */
  crashed(signature: string): void;
  /** True as soon as a state verified on the current connection is in force; false when that takes longer. */
  ready(timeoutMs: number): Promise<boolean>;
  status(): HeadgateStatus;
  /** Sends a last report, writes the local copy, lets go of everything. Flags stay as they are. */
  close(): Promise<void>;
}
