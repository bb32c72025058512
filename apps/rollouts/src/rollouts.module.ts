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
import { type ReactorNote, RolloutReactor } from './rollout-reactor.js';
import { ROLLOUTS_OPTIONS, type RolloutsOptions } from './rollouts-options.js';

const RETRY_MS = 500;

@Injectable()
class ReactorRun implements OnModuleInit, OnApplicationShutdown {
  readonly #reactor: RolloutReactor;
  readonly #commands: { inc(labels: { type: string; outcome: string }): void };

  constructor(
    @Inject(ROLLOUTS_OPTIONS) { store, pause }: RolloutsOptions,
    @Inject(Log) private readonly log: Log,
    @Inject(HealthRegistry) health: HealthRegistry,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.#commands = metrics.counter({
      name: 'headgate_reactor_commands_total',
      help: 'Commands of the rollouts reactor, by outcome',
      labelNames: ['type', 'outcome'],
    });
    this.#reactor = new RolloutReactor({
      store,
      pause: pause ?? ((signal) => wait(RETRY_MS, undefined, { signal }).catch(() => undefined)),
      onNote: (note) => this.#note(note),
    });
    health.ready('rollouts-reactor', () =>
      this.#reactor.isCaughtUp ? { ok: true } : { ok: false, detail: 'reading the log' },
    );
  }

  onModuleInit(): void {
    this.#reactor.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#reactor.close();
  }

  #note(note: ReactorNote): void {
    if (note.kind === 'fault') {
      this.log.warn('the rollouts reactor will try again', { error: note.cause });
      return;
    }
    const { type, project } = note.command;
    const outcome = note.kind === 'refused' ? note.code : note.repeated ? 'repeated' : 'done';
    this.#commands.inc({ type, outcome });
    this.log.info('rollout command', { type, project, outcome, ...rolloutOf(note.command) });
  }
}

const rolloutOf = (command: object): object =>
  'rolloutId' in command ? { rolloutId: command.rolloutId } : {};

/** Acts on verdicts. No clock, no statistics, no state: as many of them may run as one likes. */
@Module({})
export class RolloutsModule {
  static register(options: RolloutsOptions): DynamicModule {
    return {
      module: RolloutsModule,
      providers: [{ provide: ROLLOUTS_OPTIONS, useValue: options }, ReactorRun],
    };
  }
}
