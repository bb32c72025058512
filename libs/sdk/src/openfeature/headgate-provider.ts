import {
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderFatalError,
  ProviderNotReadyError,
  type ResolutionDetails,
  type TrackingEventDetails,
} from '@openfeature/server-sdk';
import { connectHeadgate } from '../connect-headgate.js';
import type { Headgate } from '../headgate.js';
import type { HeadgateOptions } from '../options/options.js';
import { Announcer } from './announcer.js';
import { Resolver } from './resolver.js';
import { trackEvent } from './track-event.js';

export interface HeadgateProviderOptions {
  /** How long the start of the application may wait for the gateway, in milliseconds. Default: 2,000. */
  readonly initTimeoutMs?: number;
  /** How long the connection may be gone before flags count as STALE, in milliseconds. Default: 10,000. */
  readonly staleAfterMs?: number;
}

const INIT_TIMEOUT_MS = 2_000;
const STALE_AFTER_MS = 10_000;

/**
 * Flags of a Headgate through OpenFeature. `headgateProvider` makes one that owns its connection; given a Headgate of the
 * application's own, the provider leaves closing it to the application.
 */
export class HeadgateProvider implements Provider {
  readonly metadata = { name: 'headgate' } as const;
  readonly runsOn = 'server';
  readonly events = new OpenFeatureEventEmitter();
  private readonly resolver: Resolver;
  private readonly announcer: Announcer;

  constructor(
    readonly headgate: Headgate,
    private readonly options: HeadgateProviderOptions = {},
    private readonly ownsHeadgate = false,
  ) {
    this.resolver = new Resolver(headgate);
    this.announcer = new Announcer({
      headgate,
      events: this.events,
      now: () => performance.now(),
      graceMs: options.staleAfterMs ?? STALE_AFTER_MS,
      onNews: () => this.resolver.forget(),
    });
  }

  /**
   * Waits for a state of the gateway, never longer than `initTimeoutMs`. After that flags of the local copy make it READY and
   * at once STALE; without any it rejects, evaluations give the default in the code, and READY follows when flags arrive.
   */
  async initialize(): Promise<void> {
    const { headgate, announcer } = this;
    announcer.listen();
    const { connection, problems } = headgate.status();
    if (connection === 'off') {
      throw new ProviderFatalError(problems.at(-1)?.message ?? 'this Headgate is closed');
    }
    await headgate.ready(this.options.initTimeoutMs ?? INIT_TIMEOUT_MS);
    const hasFlags = headgate.status().flags !== 'none';
    // OpenFeature announces the outcome itself, in the turn after this one; what differs from it is said after that.
    setImmediate(() => announcer.begin(hasFlags ? 'ready' : 'error'));
    if (!hasFlags) {
      const { problems: since } = headgate.status();
      throw new ProviderNotReadyError(
        `no flags could be verified yet: ${since.at(-1)?.message ?? 'the gateway did not answer in time'}`,
      );
    }
  }

  async onClose(): Promise<void> {
    this.announcer.close();
    if (this.ownsHeadgate) await this.headgate.close();
  }

  resolveBooleanEvaluation(
    key: string,
    fallback: boolean,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    return this.resolver.resolve(key, fallback, 'boolean', context);
  }

  resolveStringEvaluation(
    key: string,
    fallback: string,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<string>> {
    return this.resolver.resolve(key, fallback, 'string', context);
  }

  resolveNumberEvaluation(
    key: string,
    fallback: number,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<number>> {
    return this.resolver.resolve(key, fallback, 'number', context);
  }

  resolveObjectEvaluation<T extends JsonValue>(
    key: string,
    fallback: T,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>> {
    return this.resolver.resolve(key, fallback, 'object', context);
  }

  track(event: string, _context?: EvaluationContext, details?: TrackingEventDetails): void {
    trackEvent(this.headgate, event, details);
  }
}

/** Connects as `connectHeadgate` does, never throws, and hands the flags to OpenFeature. */
export const headgateProvider = (options: HeadgateOptions & HeadgateProviderOptions): HeadgateProvider =>
  new HeadgateProvider(connectHeadgate(options), options ?? {}, true);
