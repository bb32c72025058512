import { Allow } from '@headgate/service-kit';
import { applyDecorators, HttpCode, RequestMapping, RequestMethod } from '@nestjs/common';
import type { RouteSpec } from './routes.js';

/** Method, path, status and least role of a handler, from the one table of routes. */
export const Route = ({ method, path, status, role }: RouteSpec): MethodDecorator =>
  applyDecorators(
    RequestMapping({ method: RequestMethod[method], path }),
    HttpCode(status),
    Allow(role as Parameters<typeof Allow>[0]),
  );
