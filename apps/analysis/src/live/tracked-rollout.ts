import type { Rollout } from '@headgate/domain';
import { type Done, type Due, RolloutAnalysis } from '../rollout/rollout-analysis.js';
import type { Pack } from '../telemetry/telemetry-pack.js';

/** One rollout's analysis and how far in TELEMETRY it is. Acts and packs are brought into one order here: by time. */
export class TrackedRollout {
  readonly analysis: RolloutAnalysis;
  /** Newest pack of its project that was taken. */
  #sequence: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor(project: string, rollout: Rollout, from: number) {
    this.analysis = new RolloutAnalysis(project, rollout);
    this.#sequence = from - 1;
  }

  /** The log holds a plan that was cut before a pack which is folded in already: only starting over gets behind that. */
  get hasPassedItsPlan(): boolean {
    const due = this.analysis.due();
    return due?.kind === 'adopt-plan' && due.after < this.#sequence;
  }

  take(pack: Pack): void {
    this.#sequence = pack.sequence;
    this.#at = Math.max(this.#at, pack.at);
    this.analysis.take(pack);
  }

  /** What has to be done before this pack is taken. */
  dueBefore(pack: Pack): Due | null {
    const due = this.analysis.due();
    if (!due) return null;
    const isBefore =
      due.kind === 'adopt-plan' ? due.after < pack.sequence : due.at < Math.max(pack.at, this.#at);
    return isBefore ? due : null;
  }

  /** What has to be done by this time, all packs before it being taken. */
  dueBy(time: number): Due | null {
    const due = this.analysis.due();
    if (!due) return null;
    return (due.kind === 'adopt-plan' ? due.after <= this.#sequence : due.at <= time) ? due : null;
  }

  perform(due: Due): Done {
    return this.analysis.perform(due, Math.max(due.at, this.#at), this.#sequence);
  }
}
