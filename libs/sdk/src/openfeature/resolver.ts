import type { Evaluation } from '@headgate/evaluation';
import { ErrorCode, type EvaluationContext, type ResolutionDetails } from '@openfeature/server-sdk';
import { HeadgateClient } from '../client.js';
import type { FlagValue } from '../flags/resolve-details.js';
import type { FlagDetails, Headgate } from '../headgate.js';

type Resolved = Promise<ResolutionDetails<FlagValue>>;

/**
 * Evaluations as OpenFeature wants them. An outcome of a flag is turned into a resolution once and given out again until
 * `forget` is called: OpenFeature copies what it gets, and a flag has few outcomes.
 */
export class Resolver {
  private readonly client: HeadgateClient | null;
  private resolved = new WeakMap<Evaluation, Resolved>();

  constructor(private readonly headgate: Headgate) {
    this.client = headgate instanceof HeadgateClient ? headgate : null;
  }

  /** After anything that resolutions say has changed: documents, revision, freshness. */
  forget(): void {
    this.resolved = new WeakMap();
  }

  resolve<T>(
    key: string,
    fallback: T,
    type: string,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>> {
    return this.find(key, fallback as FlagValue, type, context) as Promise<ResolutionDetails<T>>;
  }

  private find(key: string, fallback: FlagValue, type: string, context: EvaluationContext): Resolved {
    const { client } = this;
    if (client === null) return Promise.resolve(resolutionOf(this.headgate.details(key, fallback, context)));
    let evaluation: Evaluation | undefined;
    try {
      evaluation = client.evaluate(key, type, context);
    } catch (error) {
      const evaluate = (): never => {
        throw error;
      };
      return Promise.resolve(resolutionOf(client.detailsOf({ key, fallback, type, evaluate })));
    }
    const made = evaluation;
    // Only what holds a value of the type asked for is the same for every caller.
    const isShared = made !== undefined && typeof made.value === type && made.value !== null;
    const known = isShared ? this.resolved.get(made) : undefined;
    if (known !== undefined) return known;
    const resolution = resolutionOf(client.detailsOf({ key, fallback, type, evaluate: () => made }));
    const answer = Promise.resolve(resolution);
    if (isShared) this.resolved.set(made, answer);
    return answer;
  }
}

const resolutionOf = <T>(details: FlagDetails<T>): ResolutionDetails<T> => {
  const { value, variant, reason, metadata, error } = details;
  return Object.freeze({
    value,
    reason,
    flagMetadata: metadata,
    ...(variant === undefined ? {} : { variant }),
    ...(error === undefined ? {} : { errorCode: ErrorCode[error.code], errorMessage: error.message }),
  });
};
