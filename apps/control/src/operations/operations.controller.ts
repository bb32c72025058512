import { BearerGuard, type Caller, CallerOf } from '@headgate/service-kit';
import { Body, Controller, Inject, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { refuseOutsideScope } from '../access/scope.js';
import { Route } from '../api/route.decorator.js';
import { ROUTES } from '../api/routes.js';
import { addVendor, type OperationReport, rebuildProjection, restoreLog } from '../api/schemas.js';
import { CONTROL_PARTS, type ControlParts, type Operations } from '../control-parts.js';
import { notHere } from './not-here.js';

/** Everything here concerns the whole installation, so a token of one project is refused. */
@Controller()
@UseGuards(BearerGuard)
export class OperationsController {
  private readonly operations: Operations;

  constructor(@Inject(CONTROL_PARTS) parts: ControlParts) {
    this.operations = parts.operations ?? {};
  }

  @Route(ROUTES.verifyLog)
  verify(@CallerOf() caller: Caller): Promise<OperationReport> {
    refuseOutsideScope(caller, null);
    return this.operations.verifyLog?.() ?? notHere('the log and its archive');
  }

  @Route(ROUTES.doctor)
  doctor(@CallerOf() caller: Caller): Promise<OperationReport> {
    refuseOutsideScope(caller, null);
    return this.operations.doctor?.() ?? notHere("the servers' configuration");
  }

  @Route(ROUTES.restoreLog)
  restore(
    @CallerOf() caller: Caller,
    @Body({ schema: restoreLog }) _body: z.infer<typeof restoreLog>,
  ): Promise<OperationReport> {
    refuseOutsideScope(caller, null);
    return this.operations.restoreLog?.() ?? notHere('the archive');
  }

  @Route(ROUTES.rebuildProjection)
  rebuild(
    @CallerOf() caller: Caller,
    @Body({ schema: rebuildProjection }) _body: z.infer<typeof rebuildProjection>,
  ): Promise<OperationReport> {
    refuseOutsideScope(caller, null);
    return this.operations.rebuildProjection?.() ?? notHere('the projection');
  }

  @Route(ROUTES.addVendor)
  addVendor(
    @CallerOf() caller: Caller,
    @Body({ schema: addVendor }) { name }: z.infer<typeof addVendor>,
  ): Promise<Record<string, unknown>> {
    refuseOutsideScope(caller, null);
    return (
      this.operations.addVendor?.({ name, by: `token:${caller.tokenId}` }) ?? notHere('the leaf listener')
    );
  }
}
