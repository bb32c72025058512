import {
  type Acknowledged,
  becauseOf,
  changeFlag,
  createFlag,
  type EvaluationView,
  evaluateFlag,
  type FlagFilter,
  type FlagView,
  flagFilter,
} from '@headgate/contracts';
import { BearerGuard, type FastifyRequest } from '@headgate/service-kit';
import { Body, Controller, Inject, Param, Query, Req, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { Route } from '../api/route.decorator.js';
import { ROUTES } from '../api/routes.js';
import { CONTROL_PARTS, type ControlParts } from '../control-parts.js';
import { Commands } from '../log/commands.js';
import { Queries } from '../queries/queries.js';
import { UsageQueries } from '../usage/usage-queries.js';
import { viewEvaluation } from './flag-evaluation.js';
import { type ChannelPath, channelPath, type FlagPath, flagPath } from './flag-path.js';
import { matches, withHealth } from './listed-flags.js';

type Because = z.infer<typeof becauseOf>;

@Controller()
@UseGuards(BearerGuard)
export class FlagController {
  constructor(
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Queries) private readonly queries: Queries,
    @Inject(UsageQueries) private readonly usage: UsageQueries,
    @Inject(CONTROL_PARTS) private readonly parts: ControlParts,
  ) {}

  @Route(ROUTES.createFlag)
  create(
    @Req() request: FastifyRequest,
    @Param({ schema: channelPath }) path: ChannelPath,
    @Body({ schema: createFlag }) body: z.infer<typeof createFlag>,
  ): Promise<Acknowledged> {
    const flagId = this.commands.newId();
    return this.commands.send(request, { type: 'create-flag', ...path, flagId, ...body });
  }

  @Route(ROUTES.listFlags)
  async list(
    @Param({ schema: channelPath }) { project, channel }: ChannelPath,
    @Query({ schema: flagFilter }) filter: FlagFilter,
  ): Promise<{ items: readonly FlagView[] }> {
    const [flags, usage] = await Promise.all([
      this.queries.flags(project, channel),
      this.usage.ofChannel(project, channel),
    ]);
    const now = this.parts.now();
    const items = flags.map((flag) => withHealth(flag, usage, now));
    return { items: items.filter((flag) => matches(flag, filter)) };
  }

  @Route(ROUTES.getFlag)
  async get(@Param({ schema: flagPath }) { project, channel, key }: FlagPath): Promise<FlagView> {
    const [flag, usage] = await Promise.all([
      this.queries.flag(project, channel, key),
      this.usage.ofChannel(project, channel),
    ]);
    return withHealth(flag, usage, this.parts.now());
  }

  @Route(ROUTES.evaluateFlag)
  async evaluate(
    @Param({ schema: flagPath }) { project, channel, key }: FlagPath,
    @Body({ schema: evaluateFlag }) { context, at }: z.infer<typeof evaluateFlag>,
  ): Promise<EvaluationView> {
    const { state, flag } = await this.commands.flagOf(project, channel, key);
    return viewEvaluation(state, project, flag, context, at ?? this.parts.now());
  }

  @Route(ROUTES.changeFlag)
  async change(
    @Req() request: FastifyRequest,
    @Param({ schema: flagPath }) path: FlagPath,
    @Body({ schema: changeFlag }) body: z.infer<typeof changeFlag>,
  ): Promise<Acknowledged> {
    return this.commands.send(request, { type: 'change-flag', ...(await this.idsOf(path)), ...body });
  }

  @Route(ROUTES.killFlag)
  async kill(
    @Req() request: FastifyRequest,
    @Param({ schema: flagPath }) path: FlagPath,
    @Body({ schema: becauseOf }) body: Because,
  ): Promise<Acknowledged> {
    return this.commands.send(request, { type: 'kill-flag', ...(await this.idsOf(path)), ...body });
  }

  @Route(ROUTES.liftKill)
  async liftKill(
    @Req() request: FastifyRequest,
    @Param({ schema: flagPath }) path: FlagPath,
    @Body({ schema: becauseOf }) body: Because,
  ): Promise<Acknowledged> {
    return this.commands.send(request, { type: 'lift-kill', ...(await this.idsOf(path)), ...body });
  }

  @Route(ROUTES.archiveFlag)
  async archive(
    @Req() request: FastifyRequest,
    @Param({ schema: flagPath }) path: FlagPath,
    @Body({ schema: becauseOf }) body: Because,
  ): Promise<Acknowledged> {
    return this.commands.send(request, { type: 'archive-flag', ...(await this.idsOf(path)), ...body });
  }

  private async idsOf({ project, channel, key }: FlagPath): Promise<{ project: string; flagId: string }> {
    return { project, flagId: await this.commands.flagIdOf(project, channel, key) };
  }
}
