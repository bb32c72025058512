import { setTimeout as pause } from 'node:timers/promises';
import { BearerGuard, Bearers, HealthRegistry, Log } from '@headgate/service-kit';
import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { LogBearers } from './access/log-bearers.js';
import { WhoamiController } from './access/whoami.controller.js';
import { OpenApiController } from './api/openapi.controller.js';
import { ChannelController } from './channel/channel.controller.js';
import { CONTROL_PARTS, type ControlParts } from './control-parts.js';
import { FlagController } from './flag/flag.controller.js';
import { Commands } from './log/commands.js';
import { LogFeed } from './log/log-feed.js';
import { OperationsController } from './operations/operations.controller.js';
import { ProjectController } from './project/project.controller.js';
import { FoldQueries } from './queries/fold-queries.js';
import { Queries } from './queries/queries.js';
import { ReadModelQueries } from './queries/read-model-queries.js';
import { SteadfastQueries } from './queries/steadfast-queries.js';
import { RolloutController } from './rollout/rollout.controller.js';
import { SegmentController } from './segment/segment.controller.js';
import { TokenController } from './token/token.controller.js';
import { UsageController } from './usage/usage.controller.js';
import { UsageQueries } from './usage/usage-queries.js';

@Module({})
export class ControlModule implements OnModuleInit, OnApplicationShutdown {
  constructor(@Inject(LogFeed) private readonly feed: LogFeed) {}

  static register(parts: ControlParts): DynamicModule {
    return {
      module: ControlModule,
      controllers: [
        WhoamiController,
        ProjectController,
        ChannelController,
        FlagController,
        SegmentController,
        UsageController,
        RolloutController,
        TokenController,
        OperationsController,
        OpenApiController,
      ],
      providers: [
        { provide: CONTROL_PARTS, useValue: parts },
        { provide: Bearers, useValue: new LogBearers(parts.store, parts.now) },
        {
          provide: LogFeed,
          useFactory: (log: Log, health: HealthRegistry) => new LogFeed(parts.store, log, health),
          inject: [Log, HealthRegistry],
        },
        {
          provide: FoldQueries,
          useFactory: (feed: LogFeed) => new FoldQueries(parts.store, feed),
          inject: [LogFeed],
        },
        {
          provide: Queries,
          useFactory: (fold: FoldQueries, feed: LogFeed, log: Log) => queriesOf(parts, fold, feed, log),
          inject: [FoldQueries, LogFeed, Log],
        },
        {
          provide: UsageQueries,
          useFactory: (log: Log) => new UsageQueries({ db: parts.database, now: parts.now, log }),
          inject: [Log],
        },
        Commands,
        BearerGuard,
      ],
    };
  }

  onModuleInit(): void {
    this.feed.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.feed.stop();
  }
}

const queriesOf = (
  { database: db, store, now }: ControlParts,
  fold: FoldQueries,
  feed: LogFeed,
  log: Log,
): Queries => {
  if (!db) return fold;
  const readModel = new ReadModelQueries({
    db,
    store,
    now,
    projects: () => feed.projects(),
    pause: (ms) => pause(ms),
  });
  return new SteadfastQueries(readModel, fold, log);
};
