import { pointer } from './check/problem.js';
import { type CompileOptions, compileFlag, frameOf } from './compile-flag.js';
import type { EvaluableFlag, Evaluation, EvaluationContext } from './flag.js';
import { compileRule, type Witness } from './rule/compile-rule.js';
import { isTruthy } from './rule/values.js';

/** One operator that was worked out. Arguments come before the operator that they are arguments of. */
export interface ExplainedStep {
  /** JSON Pointer into the flag's targeting. */
  readonly path: string;
  readonly operator: string;
  /** Absent where it failed. */
  readonly value?: unknown;
  readonly error?: string;
  /** Of a `fractional`: what was hashed, and where that fell. */
  readonly bucket?: { readonly by: string; readonly bucket: number; readonly total: number };
}

export interface Explanation {
  readonly evaluation: Evaluation;
  /** JSON Pointer to the branch or share that decided; null where no rule did. */
  readonly decidedBy: string | null;
  readonly trace: readonly ExplainedStep[];
  /** Whether there were more steps than are told. */
  readonly isCut: boolean;
}

const MAX_STEPS_TOLD = 1_000;

/**
 * Evaluates a flag as `compileFlag` does, and says how it came about: every operator that was asked, in order, with its value.
 * Slow, for people; never throws.
 */
export const explainFlag = (
  flag: EvaluableFlag,
  context: EvaluationContext,
  options: CompileOptions = {},
): Explanation => {
  const evaluation = compileFlag(flag, options)(context);
  const asksRule =
    !['STATIC', 'DISABLED'].includes(evaluation.reason) && evaluation.errorCode !== 'PARSE_ERROR';
  if (!asksRule || flag.targeting === undefined) {
    return { evaluation, decidedBy: null, trace: [], isCut: false };
  }
  // a copy, so that no two places of it are one object
  const rule: unknown = JSON.parse(JSON.stringify(flag.targeting));
  const book = new TraceBook(pathsOf(rule));
  const frame = frameOf(flag, options);
  frame.context = context;
  try {
    compileRule(rule, frame, book)(context);
  } catch {
    // the evaluation says so already, and the trace where
  }
  const decidedBy = evaluation.reason === 'ERROR' ? null : book.decidedBy(rule, '');
  return { evaluation, decidedBy, trace: book.trace, isCut: book.isCut };
};

class TraceBook implements Witness {
  readonly trace: ExplainedStep[] = [];
  isCut = false;
  private readonly values = new Map<string, unknown>();
  private bucket: ExplainedStep['bucket'];
  private hasFailed = false;

  constructor(private readonly paths: ReadonlyMap<object, string>) {}

  around: Witness['around'] = (node, term) => {
    const path = this.paths.get(node) ?? '';
    const operator = Object.keys(node)[0] ?? '';
    return (data) => {
      try {
        const value = term(data);
        this.values.set(path, value);
        const bucket = operator === 'fractional' ? this.bucket : undefined;
        if (operator === 'fractional') this.bucket = undefined;
        this.tell({ path, operator, value, ...(bucket ? { bucket } : {}) });
        return value;
      } catch (error) {
        if (!this.hasFailed) this.tell({ path, operator, error: (error as Error)?.message ?? String(error) });
        this.hasFailed = true;
        throw error;
      }
    };
  };

  onBucket: Witness['onBucket'] = () => (by, bucket, total) => {
    this.bucket = { by, bucket, total };
  };

  /** The branch that was taken, down to where it is no `if` any more; in a bucket, its share. */
  decidedBy(node: unknown, path: string): string {
    if (node === null || typeof node !== 'object' || Array.isArray(node)) return path;
    const [[name, written] = ['', null]] = Object.entries(node);
    const at = pointer(path, name);
    if (name === 'fractional') return this.shareAt(written, path, at);
    if (name !== 'if' || !Array.isArray(written)) return path;
    for (let i = 0; i + 1 < written.length; i += 2) {
      const value = this.valueAt(written[i], pointer(at, i));
      if (isTruthy(value)) return this.decidedBy(written[i + 1], pointer(at, i + 1));
    }
    const last = written.length - 1;
    return written.length % 2 === 1 ? this.decidedBy(written[last], pointer(at, last)) : path;
  }

  private valueAt(node: unknown, path: string): unknown {
    return node !== null && typeof node === 'object' && !Array.isArray(node) ? this.values.get(path) : node;
  }

  private shareAt(written: unknown, path: string, at: string): string {
    const bucket = this.trace.find((step) => step.path === path)?.bucket;
    if (!bucket || !Array.isArray(written)) return path;
    let sum = 0;
    for (const [index, share] of written.entries()) {
      if (!Array.isArray(share)) continue;
      const weight = share.length === 2 ? this.valueAt(share[1], pointer(pointer(at, index), 1)) : 1;
      sum += Math.max(0, Number(weight));
      if (bucket.bucket < sum) return pointer(at, index);
    }
    return path;
  }

  private tell(step: ExplainedStep): void {
    if (this.trace.length < MAX_STEPS_TOLD) this.trace.push(step);
    else this.isCut = true;
  }
}

const pathsOf = (rule: unknown): ReadonlyMap<object, string> => {
  const paths = new Map<object, string>();
  const visit = (node: unknown, path: string): void => {
    if (node === null || typeof node !== 'object') return;
    paths.set(node, path);
    for (const [name, inner] of Object.entries(node)) visit(inner, pointer(path, name));
  };
  visit(rule, '');
  return paths;
};
