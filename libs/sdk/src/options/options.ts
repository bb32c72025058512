import type { InstanceReport } from '@headgate/contracts';

export interface HeadgateOptions {
  /** Of the gateway, e.g. `https://flags.example.org`. Default: `HEADGATE_FLAGS_URL`. */
  readonly url?: string;
  readonly project: string;
  readonly channel: string;
  /** Pin of root 1, from out of band: `sha256:<64 hex digits>`. Everything is verified from here. */
  readonly root: string;
  /** Names this instance for as long as it exists (a host, a pod); its workers share it. Never leaves the process. */
  readonly instanceId: string;
  /** The site's secret; makes the targeting key one that upstream cannot predict. Default: kept in `dataDir`. */
  readonly siteSalt?: string;
  /** Where the local copy lives; without it nothing survives a restart. One directory per instance. */
  readonly dataDir?: string;
  readonly version?: string | InstanceReport['version'];
  /** Default: `HEADGATE_TOKEN`. */
  readonly token?: string;
  /** Default: `HEADGATE_TELEMETRY_URL`, else `url`. */
  readonly telemetryUrl?: string;
  /** False: no report leaves this process. Flags do not depend on it. */
  readonly telemetry?: boolean;
  /** One hour when absent; rollouts under way ask for more. At least one second. */
  readonly reportEveryMs?: number;
  /** Where no stream comes through (a proxy that buffers it): how often to ask instead. Default: 15 seconds. */
  readonly pollEveryMs?: number;
  /** Added to every evaluation context, under what the caller passes. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

export interface Settings {
  readonly flagsUrl: URL;
  readonly reportsUrl: URL | null;
  readonly project: string;
  readonly channel: string;
  readonly root: string;
  readonly instanceId: string;
  readonly siteSalt: string | null;
  readonly dataDir: string | null;
  readonly version: InstanceReport['version'];
  readonly token: string | undefined;
  readonly reportEveryMs: number;
  readonly pollEveryMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}
