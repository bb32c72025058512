import { type GatewayUsage, telemetrySubject } from '@headgate/contracts';
import type { AppendTelemetry } from '../reports/report-packer.js';

/** Of one message, as packs of reports have it; a single document that is longer goes alone, and the server decides. */
const MAX_PACK_BYTES = 512 * 1_024;

/** Keeps what gateways evaluated in TELEMETRY; resolves when all of it is acknowledged. Told twice, it counts once. */
export const appendUsageTo =
  (append: AppendTelemetry, clock: () => number) =>
  async (usage: readonly GatewayUsage[]): Promise<void> => {
    for (const { project, texts } of packsOf(usage)) {
      const text = `{"schema":"headgate.gateway-usage-received.v1","receivedAt":${clock()},"usage":[${texts.join(',')}]}`;
      await append(telemetrySubject(project), Buffer.from(text));
    }
  };

interface Pack {
  readonly project: string;
  readonly texts: string[];
  bytes: number;
}

const packsOf = (usage: readonly GatewayUsage[]): readonly Pack[] => {
  const packs: Pack[] = [];
  for (const one of usage) {
    const text = JSON.stringify(one);
    const bytes = Buffer.byteLength(text);
    const open = packs.findLast(({ project }) => project === one.project);
    if (open && open.bytes + bytes <= MAX_PACK_BYTES) {
      open.texts.push(text);
      open.bytes += bytes;
    } else packs.push({ project: one.project, texts: [text], bytes });
  }
  return packs;
};
