import { STREAMS } from '@headgate/contracts';
import type { Streams } from '@headgate/streams';
import { type DynamicModule, Module } from '@nestjs/common';
import { COLLECTOR_OPTIONS, type CollectorOptions } from './collector-options.js';
import { ReportsRoute } from './reports/reports-route.js';
import { UsageRoute } from './usage/usage-route.js';

/** Takes reports of the deployed base into TELEMETRY. Never on the way of a flag. */
@Module({})
export class CollectorModule {
  static register(options: CollectorOptions): DynamicModule {
    return {
      module: CollectorModule,
      providers: [{ provide: COLLECTOR_OPTIONS, useValue: options }, ReportsRoute, UsageRoute],
    };
  }
}

/** How a pack gets into TELEMETRY: acknowledged by that stream and no other. */
export const appendTo =
  (streams: Streams): CollectorOptions['append'] =>
  (subject, data) =>
    streams.publish(subject, data, { expectStream: STREAMS.telemetry });
