import type { FlagDocument } from '@headgate/contracts';
import { compileFlag, type Evaluation, type Evaluator } from '@headgate/evaluation';
import { flagdFlag } from './flagd-flag.js';
import { checkFlagdFlag } from './flagd-schema.js';
import { type TimeMoments, timeMoments } from './time-moments.js';

/** One flag in force. `evaluate` never throws and gives what the SDK gives for the same context and moment. */
export interface CompiledFlag {
  readonly document: FlagDocument;
  /** SHA-256 of the document as it was signed; a kept kill stands over it and does not change it. */
  readonly digest: string;
  readonly evaluate: Evaluator;
}

/** As a flagd provider may get it; `problem` when one must not: it would throw away the whole document with it. */
export type FlagdPart = { readonly json: string } | { readonly problem: string };

/** Compiled and written down when somebody asks for it, once: most flags of a channel never change. */
export class FlagEntry implements CompiledFlag {
  private evaluator: Evaluator | null = null;
  private part: FlagdPart | null = null;
  private times: TimeMoments | null = null;

  constructor(
    readonly document: FlagDocument,
    readonly digest: string,
    private readonly now: () => number,
  ) {}

  get evaluate(): Evaluator {
    this.evaluator ??= compileFlag(this.document, { now: this.now });
    return this.evaluator;
  }

  get flagd(): FlagdPart {
    this.part ??= this.write();
    return this.part;
  }

  /** When its answer can change by itself. */
  get moments(): TimeMoments {
    // A rule that does not compile has no answer that could change, and may be too deep to be looked at.
    this.times ??= timeMoments(
      parseProblem(this.evaluate({})) === null ? liveTargeting(this.document) : null,
    );
    return this.times;
  }

  private write(): FlagdPart {
    const flag = flagdFlag(this.document);
    // Compiling first: it also says when a rule is nested too deep to be looked at.
    const problem = parseProblem(this.evaluate({})) ?? checkFlagdFlag(flag);
    if (problem !== null) return { problem };
    return { json: `${JSON.stringify(this.document.key)}:${JSON.stringify(flag)}` };
  }
}

/** A rule that cannot be compiled answers so whatever the context. */
const parseProblem = ({ errorCode, errorMessage }: Evaluation): string | null =>
  errorCode === 'PARSE_ERROR' ? (errorMessage ?? 'the targeting cannot be read') : null;

const liveTargeting = ({ state, targeting }: FlagDocument): unknown =>
  state === 'ENABLED' ? targeting : null;
