import { Log, Metrics } from '@headgate/service-kit';
import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { type UsageNote, UsageRun, type UsageRunOptions } from './usage-run.js';

const USAGE_OPTIONS = Symbol('usage options');

export type UsageModuleOptions = Omit<UsageRunOptions, 'onNote'>;

/** Not in `/readyz`: flags, the log and its projection are as they should be while the use of flags is not counted. */
@Injectable()
class UsageCounting implements OnModuleInit, OnApplicationShutdown {
  readonly #run: UsageRun;

  constructor(
    @Inject(USAGE_OPTIONS) options: UsageModuleOptions,
    @Inject(Log) log: Log,
    @Inject(Metrics) metrics: Metrics,
  ) {
    const counted = metrics.counter({
      name: 'headgate_usage_reports_total',
      help: 'Reports counted for the use of flags',
    });
    const skipped = metrics.counter({
      name: 'headgate_usage_skipped_total',
      help: 'Reports or messages of TELEMETRY that could not be read for the use of flags',
    });
    const leftOut = metrics.counter({
      name: 'headgate_usage_left_out_total',
      help: 'Reports of more channels than the use of flags is counted for',
    });
    const onNote = (note: UsageNote): void => {
      switch (note.kind) {
        case 'counted':
          counted.inc(note.reports);
          return;
        case 'skipped':
          skipped.inc(1);
          log.error('a report could not be read for the use of flags; it was skipped', {
            sequence: note.sequence,
            reason: note.error,
            isInDeadLetters: note.isKept,
          });
          return;
        case 'left-out':
          leftOut.inc(note.reports);
          return;
        case 'forgotten':
          log.info('forgot uses of flags that nobody has reported for long', { rows: note.rows });
          return;
        case 'fault':
          log.warn('counting the use of flags will be tried again', { error: note.cause });
      }
    };
    this.#run = new UsageRun({ ...options, onNote });
    metrics.gauge({
      name: 'headgate_usage_following',
      help: '1 while reports are counted for the use of flags, 0 while Postgres or TELEMETRY is away',
      read: () => (this.#run.status().detail === 'following' ? 1 : 0),
    });
  }

  onModuleInit(): void {
    this.#run.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#run.close();
  }
}

/** TELEMETRY to Postgres: who uses which flag. One at a time per database; a second one finds the checkpoint moved and goes on from it. */
@Module({})
export class UsageModule {
  static register(options: UsageModuleOptions): DynamicModule {
    return { module: UsageModule, providers: [{ provide: USAGE_OPTIONS, useValue: options }, UsageCounting] };
  }
}
