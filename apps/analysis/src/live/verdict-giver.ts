import { looksSubject } from '@headgate/contracts';
import { type Command, CommandRefused, type Rollout } from '@headgate/domain';
import { deriveCommandId, type EventStore } from '@headgate/event-store';
import type { Streams } from '@headgate/streams';
import type { Done, MadeLook } from '../rollout/rollout-analysis.js';
import type { AnalysisArchive } from '../verdict/analysis-archive.js';
import { recordOf, sealRecord } from '../verdict/analysis-record.js';
import { lookViewOf } from '../verdict/look-view.js';
import { verdictOf } from '../verdict/verdict-of-look.js';
import type { AnalysisNote } from './analysis-note.js';

export interface VerdictGiverParts {
  readonly store: Pick<EventStore, 'handle'>;
  readonly streams: Pick<Streams, 'publishCore'>;
  readonly archive: AnalysisArchive;
  readonly onNote: (note: AnalysisNote) => void;
}

/**
 * Takes plans and changed looks to the log. The id of each command follows from what it answers (a rollout's plan, the verdict
 * that stood before), so that a restart or a second analysis says nothing twice.
 */
export class VerdictGiver {
  constructor(private readonly parts: VerdictGiverParts) {}

  /** Resolves to whether something was sent to the log. Throws what the log throws but a refusal: then it is to be tried again. */
  async tell(project: string, rollout: Rollout, done: Done): Promise<boolean> {
    switch (done.kind) {
      case 'nothing':
        return false;
      case 'plan':
        await this.#plan(project, rollout, done);
        return true;
      case 'look':
        return this.#look(project, rollout, done);
    }
  }

  /** For people who watch; lost when nobody does. */
  show(project: string, rollout: Rollout, made: MadeLook): void {
    const view = JSON.stringify(lookViewOf(rollout.id, made));
    this.parts.streams.publishCore(looksSubject(project, rollout.id), Buffer.from(view));
  }

  async #plan(project: string, rollout: Rollout, done: Extract<Done, { kind: 'plan' }>): Promise<void> {
    const of = { project, rolloutId: rollout.id };
    if (done.refusals.length === 0) {
      const id = deriveCommandId('analysis', project, rollout.id, 'record-plan');
      await this.#send({ type: 'record-plan', ...of, planned: done.planned }, id);
      return;
    }
    const why = `the plan refuses: ${done.refusals.join('; ')}`.slice(0, 2_000);
    const id = deriveCommandId('analysis', project, rollout.id, 'abort-rollout');
    await this.#send({ type: 'abort-rollout', ...of, because: 'plan-refused', why }, id);
  }

  async #look(project: string, rollout: Rollout, made: MadeLook): Promise<boolean> {
    const { look } = made;
    if (rollout.status !== 'baking' || rollout.step !== look.step) return false;
    const standing = rollout.verdict;
    if (standing && look.at <= standing.look.at) return false;
    if (standing?.decision === look.decision && standing.code === look.code) return false;
    const record = sealRecord(recordOf(project, rollout, made));
    await this.parts.archive.put(record);
    const verdict = verdictOf(made, record.digest);
    const id = deriveCommandId('analysis', project, rollout.id, look.step, standing?.id ?? 'first');
    await this.#send({ type: 'give-verdict', project, rolloutId: rollout.id, verdict }, id);
    return true;
  }

  async #send(command: Command, commandId: string): Promise<void> {
    try {
      const { repeated } = await this.parts.store.handle(command, { commandId, actor: 'analysis' });
      this.parts.onNote({ kind: 'sent', command, repeated });
    } catch (cause) {
      if (!(cause instanceof CommandRefused)) throw cause;
      // Another analysis was quicker, or the rollout ended meanwhile: the log knows better and is read again.
      this.parts.onNote({ kind: 'refused', command, code: cause.code });
    }
  }
}
