import {
  type Acknowledged,
  becauseOf,
  judgePolicy,
  previewPlan,
  type RolloutView,
  raiseSignal,
  requestRollout,
  slug,
} from '@headgate/contracts';
import { BearerGuard, type FastifyReply, type FastifyRequest, Log, Shutdown } from '@headgate/service-kit';
import { Body, Controller, Inject, Param, Req, Res, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { Route } from '../api/route.decorator.js';
import { ROUTES } from '../api/routes.js';
import type { VerdictAnswer } from '../api/schemas.js';
import { CONTROL_PARTS, type ControlParts } from '../control-parts.js';
import { Commands } from '../log/commands.js';
import { LogFeed } from '../log/log-feed.js';
import { notHere } from '../operations/not-here.js';
import { FoldQueries } from '../queries/fold-queries.js';
import { Queries } from '../queries/queries.js';
import { askPlan } from './ask-plan.js';
import { type RolloutPath, rolloutPath } from './rollout-path.js';
import { watchRollout } from './rollout-watch.js';
import { verdictOf } from './verdict-of.js';

@Controller()
@UseGuards(BearerGuard)
export class RolloutController {
  constructor(
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Queries) private readonly queries: Queries,
    @Inject(FoldQueries) private readonly fold: FoldQueries,
    @Inject(LogFeed) private readonly feed: LogFeed,
    @Inject(CONTROL_PARTS) private readonly parts: ControlParts,
    @Inject(Log) private readonly log: Log,
    @Inject(Shutdown) private readonly shutdown: Shutdown,
  ) {}

  @Route(ROUTES.requestRollout)
  async request(
    @Req() request: FastifyRequest,
    @Param('project', { schema: slug }) project: string,
    @Body({ schema: requestRollout }) { flag, policy, ...body }: z.infer<typeof requestRollout>,
  ): Promise<Acknowledged> {
    const flagId = await this.commands.flagIdOf(project, body.channel, flag);
    return this.commands.send(request, {
      type: 'request-rollout',
      project,
      rolloutId: this.commands.newId(),
      seed: this.commands.newSeed(),
      flagId,
      policy: judgePolicy.parse(policy),
      ...body,
    });
  }

  @Route(ROUTES.listRollouts)
  async list(
    @Param('project', { schema: slug }) project: string,
  ): Promise<{ items: readonly RolloutView[] }> {
    return { items: await this.queries.rollouts(project) };
  }

  @Route(ROUTES.getRollout)
  get(@Param({ schema: rolloutPath }) { project, rollout }: RolloutPath): Promise<RolloutView> {
    return this.queries.rollout(project, rollout);
  }

  @Route(ROUTES.watchRollout)
  watch(@Param({ schema: rolloutPath }) path: RolloutPath, @Res() reply: FastifyReply): Promise<void> {
    const { fold, feed, log, parts, shutdown } = this;
    return watchRollout(
      { queries: fold, feed, log, streams: parts.streams, until: shutdown.signal },
      path,
      reply,
    );
  }

  @Route(ROUTES.getVerdict)
  async verdict(@Param({ schema: rolloutPath }) { project, rollout }: RolloutPath): Promise<VerdictAnswer> {
    return verdictOf(await this.queries.rollout(project, rollout));
  }

  @Route(ROUTES.abortRollout)
  abort(
    @Req() request: FastifyRequest,
    @Param({ schema: rolloutPath }) { project, rollout: rolloutId }: RolloutPath,
    @Body({ schema: becauseOf }) { why }: z.infer<typeof becauseOf>,
  ): Promise<Acknowledged> {
    return this.commands.send(request, { type: 'abort-rollout', project, rolloutId, because: 'person', why });
  }

  @Route(ROUTES.raiseSignal)
  object(
    @Req() request: FastifyRequest,
    @Param({ schema: rolloutPath }) { project, rollout: rolloutId }: RolloutPath,
    @Body({ schema: raiseSignal }) body: z.infer<typeof raiseSignal>,
  ): Promise<Acknowledged> {
    return this.commands.send(request, { type: 'raise-signal', project, rolloutId, ...body });
  }

  @Route(ROUTES.previewPlan)
  async preview(
    @Param('project', { schema: slug }) project: string,
    @Body({ schema: previewPlan }) { channel, flag, policy, metrics }: z.infer<typeof previewPlan>,
  ): Promise<unknown> {
    if (!this.parts.streams) return notHere('rollout plans');
    // Refuses a flag that does not exist.
    await this.commands.flagIdOf(project, channel, flag);
    return askPlan(this.parts.streams, { project, channel, policy: judgePolicy.parse(policy), metrics });
  }
}
