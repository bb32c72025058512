import { type Acknowledged, type ChannelView, createChannel, slug } from '@headgate/contracts';
import { BearerGuard, type FastifyRequest } from '@headgate/service-kit';
import { Body, Controller, Inject, Param, Req, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { Route } from '../api/route.decorator.js';
import { ROUTES } from '../api/routes.js';
import { Commands } from '../log/commands.js';
import { Queries } from '../queries/queries.js';

@Controller()
@UseGuards(BearerGuard)
export class ChannelController {
  constructor(
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Queries) private readonly queries: Queries,
  ) {}

  @Route(ROUTES.createChannel)
  create(
    @Req() request: FastifyRequest,
    @Param('project', { schema: slug }) project: string,
    @Body({ schema: createChannel }) body: z.infer<typeof createChannel>,
  ): Promise<Acknowledged> {
    const channelId = this.commands.newId();
    return this.commands.send(request, { type: 'create-channel', project, channelId, ...body });
  }

  @Route(ROUTES.listChannels)
  async list(
    @Param('project', { schema: slug }) project: string,
  ): Promise<{ items: readonly ChannelView[] }> {
    return { items: await this.queries.channels(project) };
  }

  @Route(ROUTES.getChannel)
  get(
    @Param('project', { schema: slug }) project: string,
    @Param('channel', { schema: slug }) channel: string,
  ): Promise<ChannelView> {
    return this.queries.channel(project, channel);
  }
}
