import { type GatewayUsage, telemetrySubject } from '@headgate/contracts';

/** The gateway's word on the use of flags, straight into TELEMETRY: one message each, stamped with our clock like any report. */
export const tellUsage =
  (append: (subject: string, data: Uint8Array) => Promise<unknown>, now: () => number) =>
  async (documents: readonly GatewayUsage[]): Promise<void> => {
    for (const document of documents) {
      const pack = {
        schema: 'headgate.gateway-usage-received.v1',
        receivedAt: now(),
        usage: [document],
      };
      await append(telemetrySubject(document.project), Buffer.from(JSON.stringify(pack)));
    }
  };
