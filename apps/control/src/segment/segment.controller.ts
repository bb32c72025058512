import {
  type Acknowledged,
  becauseOf,
  changeSegment,
  createSegment,
  type SegmentView,
} from '@headgate/contracts';
import { BearerGuard, type FastifyRequest } from '@headgate/service-kit';
import { Body, Controller, Inject, Param, Req, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { Route } from '../api/route.decorator.js';
import { ROUTES } from '../api/routes.js';
import { type ChannelPath, channelPath } from '../flag/flag-path.js';
import { Commands } from '../log/commands.js';
import { Queries } from '../queries/queries.js';
import { type SegmentPath, segmentPath } from './segment-path.js';

@Controller()
@UseGuards(BearerGuard)
export class SegmentController {
  constructor(
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Queries) private readonly queries: Queries,
  ) {}

  @Route(ROUTES.createSegment)
  create(
    @Req() request: FastifyRequest,
    @Param({ schema: channelPath }) path: ChannelPath,
    @Body({ schema: createSegment }) body: z.infer<typeof createSegment>,
  ): Promise<Acknowledged> {
    const segmentId = this.commands.newId();
    return this.commands.send(request, { type: 'create-segment', ...path, segmentId, ...body });
  }

  @Route(ROUTES.listSegments)
  async list(
    @Param({ schema: channelPath }) { project, channel }: ChannelPath,
  ): Promise<{ items: readonly SegmentView[] }> {
    return { items: await this.queries.segments(project, channel) };
  }

  @Route(ROUTES.getSegment)
  get(@Param({ schema: segmentPath }) { project, channel, name }: SegmentPath): Promise<SegmentView> {
    return this.queries.segment(project, channel, name);
  }

  @Route(ROUTES.changeSegment)
  async change(
    @Req() request: FastifyRequest,
    @Param({ schema: segmentPath }) path: SegmentPath,
    @Body({ schema: changeSegment }) body: z.infer<typeof changeSegment>,
  ): Promise<Acknowledged> {
    return this.commands.send(request, { type: 'change-segment', ...(await this.idsOf(path)), ...body });
  }

  @Route(ROUTES.removeSegment)
  async remove(
    @Req() request: FastifyRequest,
    @Param({ schema: segmentPath }) path: SegmentPath,
    @Body({ schema: becauseOf }) body: z.infer<typeof becauseOf>,
  ): Promise<Acknowledged> {
    return this.commands.send(request, { type: 'remove-segment', ...(await this.idsOf(path)), ...body });
  }

  private async idsOf({
    project,
    channel,
    name,
  }: SegmentPath): Promise<{ project: string; segmentId: string }> {
    return { project, segmentId: await this.commands.segmentIdOf(project, channel, name) };
  }
}
