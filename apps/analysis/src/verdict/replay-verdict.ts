import { STREAMS, telemetrySubject } from '@headgate/contracts';
import type { Rollout } from '@headgate/domain';
import type { Streams } from '@headgate/streams';
import { type Due, type MadeLook, RolloutAnalysis } from '../rollout/rollout-analysis.js';
import type { Act, Script } from '../rollout/script.js';
import { readPack } from '../telemetry/telemetry-pack.js';
import { type AnalysisRecord, recordOf } from './analysis-record.js';

/**
 * Makes a recorded look again from TELEMETRY: the same script over the same packs. `rollout` is the log's state, at the verdict or
 * later. Null when TELEMETRY no longer holds what the script read.
 */
export async function replayVerdict(
  streams: Pick<Streams, 'readRange' | 'info'>,
  project: string,
  rollout: Rollout,
  script: Script,
): Promise<AnalysisRecord | null> {
  const info = await streams.info(STREAMS.telemetry);
  if (!info || info.firstSequence > script.from) return null;
  const analysis = new RolloutAnalysis(project, rollout);
  const acts = [...script.acts];
  const upTo = acts.at(-1)?.after ?? 0;
  const filter = telemetrySubject(project);
  let made: MadeLook | null = null;
  const performBefore = (sequence: number): void => {
    while (acts.length > 0 && acts[0]!.after < sequence) {
      const act = acts.shift()!;
      const done = analysis.perform(dueOf(act), act.at, act.after);
      if (done.kind === 'look') made = done;
    }
  };
  for await (const message of streams.readRange(STREAMS.telemetry, { filter, from: script.from })) {
    if (message.sequence > upTo) break;
    performBefore(message.sequence);
    analysis.take(readPack(message));
  }
  performBefore(Number.POSITIVE_INFINITY);
  return made && recordOf(project, rollout, made);
}

const dueOf = (act: Act): Due => {
  switch (act.kind) {
    case 'plan':
      return { kind: 'adopt-plan', at: act.at, after: act.after };
    case 'step':
      return { kind: 'enter-step', at: act.at, step: act.step };
    case 'restart':
      return { kind: 'restart', at: act.at };
    case 'look':
      return { kind: 'look', at: act.at, signals: act.signals ?? 0 };
  }
};
