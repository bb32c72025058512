import {
  type Acknowledged,
  becauseOf,
  createToken,
  SYSTEM_PROJECT,
  type TokenRole,
  type TokenView,
  uuidV7,
} from '@headgate/contracts';
import { CommandRefused } from '@headgate/domain';
import { BearerGuard, type Caller, CallerOf, type FastifyRequest, secretHash } from '@headgate/service-kit';
import { Body, Controller, Inject, Param, Req, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { refuseOutsideScope } from '../access/scope.js';
import { Route } from '../api/route.decorator.js';
import { ROUTES } from '../api/routes.js';
import { Commands } from '../log/commands.js';
import { Queries } from '../queries/queries.js';

@Controller()
@UseGuards(BearerGuard)
export class TokenController {
  constructor(
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Queries) private readonly queries: Queries,
  ) {}

  @Route(ROUTES.createToken)
  async create(
    @Req() request: FastifyRequest,
    @CallerOf() caller: Caller,
    @Body({ schema: createToken }) { project: scope, ...body }: z.infer<typeof createToken>,
  ): Promise<TokenView & { secret: string; role: TokenRole }> {
    refuseOutsideScope(caller, scope ?? null);
    const secret = this.commands.newSecret();
    const { id, repeated } = await this.commands.send(request, {
      type: 'create-token',
      project: SYSTEM_PROJECT,
      tokenId: this.commands.newId(),
      secretHash: secretHash(secret),
      ...(scope === undefined ? {} : { scope }),
      ...body,
    });
    // The secret is kept nowhere, so the first answer cannot be given again.
    if (repeated) {
      throw new CommandRefused(
        'already-exists',
        `this command id made token ${id}, whose secret was shown then; revoke it and create another`,
      );
    }
    return { ...(await this.commands.tokenOf(id)), secret };
  }

  @Route(ROUTES.listTokens)
  async list(@CallerOf() caller: Caller): Promise<{ items: readonly TokenView[] }> {
    const tokens = await this.queries.tokens();
    return { items: tokens.filter(({ project }) => caller.project === null || caller.project === project) };
  }

  @Route(ROUTES.revokeToken)
  async revoke(
    @Req() request: FastifyRequest,
    @CallerOf() caller: Caller,
    @Param('token', { schema: uuidV7 }) tokenId: string,
    @Body({ schema: becauseOf }) { why }: z.infer<typeof becauseOf>,
  ): Promise<Acknowledged> {
    refuseOutsideScope(caller, (await this.commands.tokenOf(tokenId)).project);
    return this.commands.send(request, { type: 'revoke-token', project: SYSTEM_PROJECT, tokenId, why });
  }
}
