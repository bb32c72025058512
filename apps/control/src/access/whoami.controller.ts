import { BearerGuard, type Caller, CallerOf } from '@headgate/service-kit';
import { Controller, UseGuards } from '@nestjs/common';
import { Route } from '../api/route.decorator.js';
import { ROUTES } from '../api/routes.js';

@Controller()
@UseGuards(BearerGuard)
export class WhoamiController {
  @Route(ROUTES.whoami)
  whoami(@CallerOf() caller: Caller): Caller {
    return caller;
  }
}
