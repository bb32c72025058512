import type { TokenRole } from '@headgate/contracts';
import {
  type CustomDecorator,
  createParamDecorator,
  type ExecutionContext,
  SetMetadata,
} from '@nestjs/common';
import type { Caller } from './bearers.js';

export const ACCESS = 'headgate:access';
export type Access = 'public' | TokenRole;

/** No token needed. */
export const Public = (): CustomDecorator => SetMetadata(ACCESS, 'public' satisfies Access);

/** The least role that may call this; a route parameter `project` must be within the token's project. */
export const Allow = (role: TokenRole): CustomDecorator => SetMetadata(ACCESS, role satisfies Access);

export interface AuthenticatedRequest {
  caller?: Caller;
}

/** The caller that the guard let in. */
export const CallerOf = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!caller) throw new Error('@CallerOf on a route without BearerGuard');
  return caller;
});
