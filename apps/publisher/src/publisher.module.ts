import { setTimeout as wait } from 'node:timers/promises';
import { HealthRegistry, Log, Metrics } from '@headgate/service-kit';
import { OutcomeUnknown, Unavailable } from '@headgate/streams';
import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { TrustKeeper } from './keys/trust-keeper.js';
import { Publisher, type PublisherNote } from './publisher.js';
import { PUBLISHER_OPTIONS, type PublisherModuleOptions } from './publisher-options.js';

const BEAT_EVERY_MS = 5_000;
const RETRY_MS = 500;

@Injectable()
class PublisherRun implements OnModuleInit, OnApplicationShutdown {
  readonly #publisher: Publisher;
  readonly #published: { inc(labels: { what: string }): void };
  readonly #conflicts: { inc(): void };
  readonly #took: { observe(seconds: number): void };

  constructor(
    @Inject(PUBLISHER_OPTIONS) options: PublisherModuleOptions,
    @Inject(Log) private readonly log: Log,
    @Inject(HealthRegistry) health: HealthRegistry,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.#published = metrics.counter({
      name: 'headgate_publisher_messages_total',
      help: 'Messages published to FLAGS, by kind',
      labelNames: ['what'],
    });
    this.#conflicts = metrics.counter({
      name: 'headgate_publisher_conflicts_total',
      help: 'Times another publisher wrote first',
    });
    this.#took = metrics.histogram({
      name: 'headgate_publisher_commit_seconds',
      help: 'From an event read to its commit stored in FLAGS',
      buckets: [0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
    });
    metrics.gauge({
      name: 'headgate_publisher_withheld_documents',
      help: 'Flags whose documents cannot be published',
      read: () => this.#publisher.withheld.length,
    });
    const { store, streams, clock, keysFolder: folder, keysPassphrase: passphrase } = options;
    const keeper = new TrustKeeper({ folder, now: clock, ...(passphrase ? { passphrase } : {}) });
    log.info('flags are signed under root', { pin: keeper.pin });
    this.#publisher = new Publisher({
      store,
      streams,
      keeper,
      now: clock,
      beatEveryMs: options.beatEveryMs ?? BEAT_EVERY_MS,
      pause: (signal) => wait(RETRY_MS, undefined, { signal }).catch(() => undefined),
      onNote: (note) => this.#note(note),
    });
    health.ready('publisher', () => {
      const { trouble } = this.#publisher;
      if (trouble !== null) return { ok: false, detail: trouble };
      // Not ready would take all other flags from their clients for the sake of one.
      const { withheld } = this.#publisher;
      return withheld.length === 0 ? { ok: true } : { ok: true, detail: withheld.join('; ') };
    });
  }

  onModuleInit(): void {
    this.#publisher.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#publisher.close();
  }

  #note(note: PublisherNote): void {
    switch (note.kind) {
      case 'published': {
        const { what, n, project, channel, tookMs } = note;
        this.#published.inc({ what });
        if (tookMs !== undefined) this.#took.observe(tookMs / 1_000);
        if (what !== 'beat') this.log.debug(`published ${what}`, { project, channel, n });
        return;
      }
      case 'conflict':
        this.#conflicts.inc();
        this.log.info('another publisher wrote first', { project: note.project, channel: note.channel });
        return;
      case 'fault': {
        const { project, channel, cause: error } = note;
        // A server that comes back is no reason to wake somebody; /readyz shows how long it is away.
        if (error instanceof Unavailable || error instanceof OutcomeUnknown)
          this.log.warn('publishing is interrupted and will be tried again', { project, channel, error });
        else this.log.error('a channel does not follow the log', { project, channel, error });
        return;
      }
      case 'withheld': {
        const { project, channel, key, flagId, cause, isKilled } = note;
        this.log.error(
          isKilled
            ? "a killed flag's document cannot be published; its kill goes out on the one in force"
            : "a flag's document cannot be published; the channel goes on without it",
          { project, channel, key, flagId, error: cause },
        );
        return;
      }
      case 'log-fault':
        this.log.error('the publisher cannot go on in the log', { error: note.cause });
    }
  }
}

/** Folds the log into signed flags. Alone holds the channel keys, and has no port and no input but the log. */
@Module({})
export class PublisherModule {
  static register(options: PublisherModuleOptions): DynamicModule {
    return {
      module: PublisherModule,
      providers: [{ provide: PUBLISHER_OPTIONS, useValue: options }, PublisherRun],
    };
  }
}
