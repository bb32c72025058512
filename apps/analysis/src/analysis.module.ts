import { setTimeout as wait } from 'node:timers/promises';
import { HealthRegistry, Log, Metrics } from '@headgate/service-kit';
import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ANALYSIS_OPTIONS, type AnalysisModuleOptions } from './analysis-options.js';
import type { AnalysisNote } from './live/analysis-note.js';
import { AnalysisRun } from './live/analysis-run.js';
import { answerPlans } from './plan/answer-plans.js';

const RETRY_MS = 500;
const PRUNE_EVERY_MS = 3_600_000;

@Injectable()
class AnalysisService implements OnModuleInit, OnApplicationShutdown {
  readonly #run: AnalysisRun;
  readonly #commands: { inc(labels: { type: string; outcome: string }): void };
  readonly #lookSeconds: { observe(seconds: number): void };
  #pruning: NodeJS.Timeout | undefined;
  #stopAnswering: (() => void) | undefined;

  constructor(
    @Inject(ANALYSIS_OPTIONS) private readonly options: AnalysisModuleOptions,
    @Inject(Log) private readonly log: Log,
    @Inject(HealthRegistry) health: HealthRegistry,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.#commands = metrics.counter({
      name: 'headgate_analysis_commands_total',
      help: 'Plans and verdicts taken to the log, by outcome',
      labelNames: ['type', 'outcome'],
    });
    this.#lookSeconds = metrics.histogram({
      name: 'headgate_analysis_look_seconds',
      help: 'Time that a look took',
      buckets: [0.001, 0.005, 0.02, 0.05, 0.15, 0.5, 1, 5],
    });
    this.#run = new AnalysisRun({
      ...options,
      pause: (signal) => wait(RETRY_MS, undefined, { signal }).catch(() => undefined),
      onNote: (note) => this.#note(note),
    });
    metrics.gauge({
      name: 'headgate_analysis_rows',
      help: 'Instance rows held, over all running rollouts',
      read: () => this.#run.rows,
    });
    metrics.gauge({
      name: 'headgate_analysis_reports_left_out',
      help: 'Reports that could not be read or were of more instances than rows are kept for, over all running rollouts',
      read: () => this.#run.leftOut,
    });
    health.ready('analysis', () =>
      this.#run.isCurrent ? { ok: true } : { ok: false, detail: 'reading the log and TELEMETRY' },
    );
  }

  onModuleInit(): void {
    this.#run.start();
    this.#stopAnswering = answerPlans(this.options.streams, this.options.now, (error) =>
      this.log.error('a plan could not be made', { error }),
    );
    const prune = (): void => {
      this.options.archive.prune().catch((error: unknown) => this.log.warn('old analyses stay', { error }));
    };
    prune();
    this.#pruning = setInterval(prune, PRUNE_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#pruning);
    this.#stopAnswering?.();
    await this.#run.close();
  }

  #note(note: AnalysisNote): void {
    switch (note.kind) {
      case 'fault':
        this.log.warn('analysis will try again', { error: note.cause });
        return;
      case 'looked':
        this.#lookSeconds.observe(note.tookMs / 1_000);
        return;
      case 'sent':
      case 'refused': {
        const { type, project } = note.command;
        const outcome = note.kind === 'refused' ? note.code : note.repeated ? 'repeated' : 'done';
        this.#commands.inc({ type, outcome });
        this.log.info('analysis command', {
          type,
          project,
          outcome,
          ...('rolloutId' in note.command ? { rolloutId: note.command.rolloutId } : {}),
          ...('verdict' in note.command
            ? { decision: note.command.verdict.decision, code: note.command.verdict.code }
            : {}),
        });
      }
    }
  }
}

/** Judges running rollouts from TELEMETRY and says so in the log. Never acts on a rollout. */
@Module({})
export class AnalysisModule {
  static register(options: AnalysisModuleOptions): DynamicModule {
    return {
      module: AnalysisModule,
      providers: [{ provide: ANALYSIS_OPTIONS, useValue: options }, AnalysisService],
    };
  }
}
