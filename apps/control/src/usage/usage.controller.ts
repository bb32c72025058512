import type { FlagUsageView, UnknownFlagsView } from '@headgate/contracts';
import { BearerGuard } from '@headgate/service-kit';
import { Controller, Inject, Param, UseGuards } from '@nestjs/common';
import { Route } from '../api/route.decorator.js';
import { ROUTES } from '../api/routes.js';
import { CONTROL_PARTS, type ControlParts } from '../control-parts.js';
import { type ChannelPath, channelPath, type FlagPath, flagPath } from '../flag/flag-path.js';
import { withHealth } from '../flag/listed-flags.js';
import { Queries } from '../queries/queries.js';
import { UsageQueries } from './usage-queries.js';

@Controller()
@UseGuards(BearerGuard)
export class UsageController {
  constructor(
    @Inject(Queries) private readonly queries: Queries,
    @Inject(UsageQueries) private readonly usage: UsageQueries,
    @Inject(CONTROL_PARTS) private readonly parts: ControlParts,
  ) {}

  @Route(ROUTES.getFlagUsage)
  async ofFlag(@Param({ schema: flagPath }) { project, channel, key }: FlagPath): Promise<FlagUsageView> {
    const flag = await this.queries.flag(project, channel, key);
    const usage = await this.usage.ofFlag(project, channel, key);
    const { health } = withHealth(flag, await this.usage.ofChannel(project, channel), this.parts.now());
    return { ...usage, ...(health ? { health } : {}) };
  }

  @Route(ROUTES.listUnknownFlags)
  async unknown(
    @Param({ schema: channelPath }) { project, channel }: ChannelPath,
  ): Promise<UnknownFlagsView> {
    const flags = await this.queries.flags(project, channel);
    const defined = flags.filter(({ status }) => status !== 'archived').map(({ key }) => key);
    return this.usage.unknown(project, channel, new Set(defined));
  }
}
