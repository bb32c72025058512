/** What the demo's processes say to each other over Node's own channel between parent and child. */
export interface WorkerConfig {
  readonly gatewayUrl: string;
  readonly telemetryUrl: string;
  readonly telemetryToken: string;
  readonly project: string;
  readonly channel: string;
  readonly rootPin: string;
  readonly siteSalt: string;
  readonly dataDir: string;
  readonly reportEveryMs: number;
  readonly instanceIds: readonly string[];
}

export interface LoadConfig {
  readonly targets: readonly { readonly port: number; readonly instances: number }[];
  readonly perInstancePerSecond: number;
  readonly seed: number;
}

/** Times in milliseconds since the epoch, by flag key; absent where it never happened. */
export interface InstanceTally {
  readonly id: string;
  readonly isLive: boolean;
  readonly served: Readonly<Record<string, number>>;
  readonly failed: number;
  readonly lastServed: Readonly<Record<string, number>>;
  /** When the instance's own SDK told it that the flag no longer sends requests through the path. */
  readonly switchedOff: Readonly<Record<string, number>>;
  readonly revision: string;
}

export type ToChild =
  | { readonly type: 'start-fleet'; readonly config: WorkerConfig }
  | { readonly type: 'start-load'; readonly config: LoadConfig }
  | { readonly type: 'tally' }
  | { readonly type: 'stop' };

export type FromChild =
  | { readonly type: 'ready'; readonly port: number }
  | { readonly type: 'tally'; readonly instances: readonly InstanceTally[] }
  | { readonly type: 'load'; readonly sent: number; readonly answered: number; readonly failed: number }
  | { readonly type: 'failed'; readonly message: string };
