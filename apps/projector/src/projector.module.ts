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
import type { Projection, ProjectionNote } from './projection.js';

const PROJECTION = Symbol('projection');

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/** Doubling, bounded; a projector has no crowd to spread. */
export const projectionPause = (attempt: number, signal: AbortSignal): Promise<void> =>
  wait(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt), undefined, { signal }).catch(
    () => undefined,
  );

/** A projection made before the module, because what rebuilds it holds it too. Its notes are the module's to tell. */
export interface ProjectorOptions {
  readonly projection: Projection;
  readonly notes: { tell: (note: ProjectionNote) => void };
}

@Injectable()
export class ProjectorRun implements OnModuleInit, OnApplicationShutdown {
  readonly #projection: Projection;

  constructor(
    @Inject(PROJECTION) { projection, notes }: ProjectorOptions,
    @Inject(Log) log: Log,
    @Inject(HealthRegistry) health: HealthRegistry,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.#projection = projection;
    const written = metrics.counter({
      name: 'headgate_projector_events_total',
      help: 'Events archived and projected',
    });
    metrics.gauge({
      name: 'headgate_projector_lag_events',
      help: 'Events read from the log and not in Postgres yet',
      read: () => projection.status().lag,
    });
    metrics.gauge({
      name: 'headgate_projector_refused_sequence',
      help: 'Stream sequence of the event that Postgres refuses; 0 when there is none',
      read: () => projection.status().refused?.streamSequence ?? 0,
    });
    notes.tell = (note) => {
      if (note.kind === 'written') written.inc(note.events);
      else if (note.isFatal)
        log.error('the projector has stopped; somebody has to look', { error: note.cause, ...note.at });
      else log.warn('the projector will try again', { error: note.cause });
    };
    health.ready('projector', () => {
      const { state, detail } = projection.status();
      return { ok: state === 'following', detail, ...(state === 'stopped' ? { isStuck: true } : {}) };
    });
  }

  onModuleInit(): void {
    this.#projection.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#projection.close();
  }
}

/** Log to Postgres. One at a time per database: a second one finds the checkpoint moved and starts again. */
@Module({})
export class ProjectorModule {
  static register(options: ProjectorOptions): DynamicModule {
    return { module: ProjectorModule, providers: [{ provide: PROJECTION, useValue: options }, ProjectorRun] };
  }
}
