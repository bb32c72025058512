import { TOKEN_ROLES } from '@headgate/contracts';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { RequestRefused } from '../http/input-errors.js';
import { ACCESS, type Access, type AuthenticatedRequest } from './access.js';
import { Bearers, type Caller } from './bearers.js';

/**
 * Lets a request in when its bearer token has the role that `@Allow` names and covers the route's `:project`. A route without
 * `@Allow` or `@Public` lets nobody in: forgetting is not a hole.
 */
@Injectable()
export class BearerGuard implements CanActivate {
  constructor(
    @Inject(Bearers) private readonly bearers: Bearers,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (access === 'public') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest & AuthenticatedRequest>();
    const caller = await this.bearers.authenticate(bearerOf(request));
    if (!caller) throw new RequestRefused('unauthenticated', 'The token is not known, expired or revoked.');
    if (access === undefined) throw new RequestRefused('forbidden', 'This address is open to nobody.');
    refuseUnlessAllowed(caller, access, (request.params as { project?: string }).project);
    request.caller = caller;
    return true;
  }
}

const bearerOf = (request: FastifyRequest): string => {
  const match = /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i.exec(request.headers.authorization ?? '');
  if (!match?.[1]) throw new RequestRefused('unauthenticated', 'The request carries no bearer token.');
  return match[1];
};

const refuseUnlessAllowed = (
  caller: Caller,
  least: Exclude<Access, 'public'>,
  project: string | undefined,
): void => {
  if (TOKEN_ROLES.indexOf(caller.role) < TOKEN_ROLES.indexOf(least)) {
    throw new RequestRefused('forbidden', `This needs role ${least}; the token's role is ${caller.role}.`);
  }
  if (caller.project !== null && project !== undefined && project !== caller.project) {
    throw new RequestRefused('forbidden', `The token is for project "${caller.project}" only.`);
  }
};
