import type { Rollout } from '@headgate/domain';
import type { Look } from '@headgate/judge';
import { canonicalJson, sha256Hex } from '@headgate/trust';
import type { MadeLook } from '../rollout/rollout-analysis.js';
import type { Script } from '../rollout/script.js';

/** The full analysis behind a verdict: everything that was found, and how to find it again. */
export interface AnalysisRecord {
  readonly schema: 'headgate.analysis.v1';
  readonly project: string;
  readonly channel: string;
  readonly rolloutId: string;
  readonly seed: string;
  readonly planDigest: string;
  readonly script: Script;
  readonly onInstanceHours: number;
  readonly look: Omit<Look, 'history'>;
}

export interface SealedRecord {
  readonly digest: string;
  /** RFC 8785; its SHA-256 is the digest. */
  readonly text: string;
}

export function recordOf(project: string, rollout: Rollout, made: MadeLook): AnalysisRecord {
  const { history: _, ...look } = made.look;
  return {
    schema: 'headgate.analysis.v1',
    project,
    channel: rollout.channel,
    rolloutId: rollout.id,
    seed: rollout.seed,
    planDigest: made.planDigest,
    script: made.script,
    onInstanceHours: made.onInstanceHours,
    look,
  };
}

export function sealRecord(record: AnalysisRecord): SealedRecord {
  const text = canonicalJson(plain(record));
  return { digest: sha256Hex(text), text };
}

/** As JSON can say it: what is absent is left out, and what is no number is null. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
