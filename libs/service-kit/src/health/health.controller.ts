import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Public } from '../auth/access.js';
import { Metrics } from '../metrics/metrics.js';
import { Shutdown } from '../service/shutdown.js';
import { HealthRegistry, type HealthReport } from './health-registry.js';

@Controller()
@Public()
export class HealthController {
  constructor(
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
    @Inject(Metrics) private readonly metrics: Metrics,
    @Inject(Shutdown) private readonly shutdown: Shutdown,
  ) {}

  @Get('healthz')
  async alive(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthReport> {
    return answer(reply, await this.health.liveness());
  }

  @Get('readyz')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthReport> {
    const report = await this.health.readiness();
    if (!this.shutdown.signal.aborted) return answer(reply, report);
    return answer(reply, {
      ok: false,
      checks: { ...report.checks, shutdown: { ok: false, detail: 'closing' } },
    });
  }

  @Get('metrics')
  async exposition(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    reply.type(this.metrics.registry.contentType);
    return this.metrics.registry.metrics();
  }
}

const answer = (reply: FastifyReply, report: HealthReport): HealthReport => {
  reply.code(report.ok ? 200 : 503).header('cache-control', 'no-store');
  return report;
};
