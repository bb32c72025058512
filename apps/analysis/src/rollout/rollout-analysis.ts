import type { EventData } from '@headgate/contracts';
import type { Rollout } from '@headgate/domain';
import {
  emptyHistory,
  type History,
  type JudgePolicy,
  judge,
  type Look,
  type PreRow,
  planRollout,
  prePeriodLengths,
  type RolloutPlan,
  stepLengths,
  tabulate,
} from '@headgate/judge';
import { sha256Hex } from '@headgate/trust';
import { isReport, type Pack, type TelemetryReport } from '../telemetry/telemetry-pack.js';
import { CrashSignatures } from './crash-signatures.js';
import { graceMsOf, judgePolicyFor, lookEveryMsOf } from './judge-policy.js';
import { type JudgedNames, judgedNames, judgedPart } from './judged-names.js';
import { raisedBy, signalOf } from './raised-signals.js';
import { readPlan, recordPlan } from './recorded-plan.js';
import { RolloutRows } from './rollout-rows.js';
import type { Act, Script } from './script.js';

/** What is to be done next for a rollout, and when; `after` where it must be done behind a certain pack. */
export type Due =
  | { readonly kind: 'restart' | 'propose-plan'; readonly at: number }
  /** `signals`: of a replay, how many of the log's were known; else those raised by then. */
  | { readonly kind: 'look'; readonly at: number; readonly signals?: number }
  | { readonly kind: 'adopt-plan'; readonly at: number; readonly after: number }
  | { readonly kind: 'enter-step'; readonly at: number; readonly step: number };

export interface MadeLook {
  readonly look: Look;
  readonly script: Script;
  readonly onInstanceHours: number;
  readonly planDigest: string;
}

export type Done =
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'plan';
      readonly planned: EventData<'rollout-planned.v1'>;
      readonly refusals: readonly string[];
    }
  | ({ readonly kind: 'look' } & MadeLook);

interface Frozen {
  readonly plan: RolloutPlan;
  readonly preRows: readonly PreRow[];
  readonly digest: string;
}

/**
 * Everything analysis knows of one rollout: its rows, its plan, its looks. A function of what it is given, in the order it is
 * given: packs of TELEMETRY, the rollout as the log has it, and dues with their time. It reads no clock and writes nothing.
 */
export class RolloutAnalysis {
  readonly project: string;
  readonly #names: JudgedNames;
  readonly #acts: Act[] = [];
  readonly #crashes = new CrashSignatures();
  readonly #entered: { readonly weightPpm: number; readonly enteredAt: number }[] = [];
  #rows: RolloutRows;
  #rollout: Rollout;
  #from: number | null = null;
  #packAt = Number.NEGATIVE_INFINITY;
  #unreadable = 0;
  /** Of the pre-period, which begins anew when the fleet turns out to want other times. */
  #pre: { startAt: number; policy: JudgePolicy };
  #isProposed = false;
  #frozen: Frozen | null = null;
  #step: { readonly step: number; readonly enteredAt: number } | null = null;
  #looksUntil = Number.NEGATIVE_INFINITY;
  /** Newest look of any step. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #history: History = emptyHistory;

  constructor(project: string, rollout: Rollout) {
    this.project = project;
    this.#rollout = rollout;
    this.#names = judgedNames(rollout.metrics);
    this.#rows = new RolloutRows(rollout.seed);
    this.#pre = { startAt: rollout.requestedAt, policy: judgePolicyFor(rollout.policy, 0) };
    this.#beginPrePeriod();
  }

  get rollout(): Rollout {
    return this.#rollout;
  }

  get rows(): number {
    return this.#rows.size;
  }

  /** Reports that were no reports, and those of more instances than rows are kept for. */
  get leftOut(): number {
    return this.#unreadable + this.#rows.turnedAway;
  }

  /** The rollout as the log has it now. */
  update(rollout: Rollout): void {
    this.#rollout = rollout;
  }

  take(pack: Pack): void {
    if (pack.project !== this.project || pack.at < this.#rollout.requestedAt) return;
    this.#from ??= pack.sequence;
    // Packs of two collectors may cross: time stands still rather than go back.
    this.#packAt = Math.max(this.#packAt, pack.at);
    for (const report of pack.reports) this.#fold(report);
  }

  /** What comes next, or null while only the log can bring something new. */
  due(): Due | null {
    const { planned, steps } = this.#rollout;
    if (!this.#frozen) {
      if (planned) {
        const { cut } = readPlan(planned);
        return { kind: 'adopt-plan', at: cut.at, after: cut.after };
      }
      return this.#duePrePeriod();
    }
    const look = this.#dueLook(this.#frozen.plan);
    const next = steps[this.#step === null ? 0 : this.#step.step + 1];
    if (next && (look === null || next.enteredAt <= look.at))
      return { kind: 'enter-step', at: next.enteredAt, step: next.step };
    return look;
  }

  /** Does what is due. `at`: its time, or the newest pack's where that is later; `after`: the newest pack's sequence. */
  perform(due: Due, at: number, after: number): Done {
    switch (due.kind) {
      case 'restart':
        return this.#restart(at, after);
      case 'propose-plan':
        return this.#propose(at, after);
      case 'adopt-plan':
        return this.#adopt(due.at, after);
      case 'enter-step':
        return this.#enter(due.step, due.at, after);
      case 'look':
        return this.#look(at, after, due.signals ?? raisedBy(this.#rollout.signals, at));
    }
  }

  #fold(report: TelemetryReport): void {
    try {
      if (report.channel !== this.#rollout.channel) return;
      if (!isReport(report)) throw new TypeError('neither instance, boot nor number');
      const isNew = this.#rows.fold(judgedPart(report, this.#names), this.#packAt);
      if (isNew && report.crash) this.#seeCrash(report.instance, report.crash);
    } catch {
      // The collector lets nothing through that cannot be read. Should something be there all the same, one thing must not happen:
      // that a single report stops every rollout. A fold that failed has changed nothing, here and in every replay.
      this.#unreadable += 1;
    }
  }

  /** A crash belongs to the arm in which its instance was when it crashed, which may be a step before it could say so. */
  #seeCrash(instance: string, { signature, at }: NonNullable<TelemetryReport['crash']>): void {
    if (typeof signature !== 'string') return;
    const crashedAt = Number.isFinite(at) ? Math.min(at!, this.#packAt) : this.#packAt;
    const weightPpm = this.#entered.findLast(({ enteredAt }) => enteredAt <= crashedAt)?.weightPpm ?? 0;
    const isCanary = this.#rows.bucketPpm(instance) < weightPpm;
    this.#crashes.see({ instance, signature, at: this.#packAt, isCanary });
  }

  #duePrePeriod(): Due | null {
    if (this.#isProposed) return null;
    const policy = judgePolicyFor(this.#rollout.policy, this.#rows.size);
    const isSame =
      policy.bakeMs === this.#pre.policy.bakeMs && policy.prePeriodMs === this.#pre.policy.prePeriodMs;
    if (!isSame) return { kind: 'restart', at: this.#pre.startAt };
    return { kind: 'propose-plan', at: this.#pre.startAt + policy.prePeriodMs + graceMsOf(policy) };
  }

  #dueLook(plan: RolloutPlan): Due | null {
    if (this.#step === null || this.#isOver()) return null;
    const every = lookEveryMsOf(this.#rollout.policy, plan.policy.bakeMs);
    const first = this.#step.enteredAt + plan.policy.warmUpMs + graceMsOf(plan.policy);
    const past = Math.floor((this.#looksUntil - first) / every) + 1;
    const regular = first + Math.max(0, Number.isFinite(past) ? past : 0) * every;
    const news = this.#firstNews();
    return {
      kind: 'look',
      at: news === null ? regular : Math.min(regular, Math.max(news, this.#step.enteredAt)),
    };
  }

  /** A signal is looked at when it becomes known: where reports are few, the next regular look may be hours away. */
  #firstNews(): number | null {
    const raised = this.#rollout.signals.find(({ at }) => at > this.#lookedAt)?.at;
    const crashed = this.#crashes.firstSince(this.#lookedAt);
    if (raised === undefined || crashed === null) return raised ?? crashed;
    return Math.min(raised, crashed);
  }

  /** The step's last word is in the log, and every look up to it has been made. */
  #isOver(): boolean {
    const last = this.#rollout.verdicts.findLast(
      ({ step, decision }) =>
        step === this.#step?.step &&
        (decision === 'promote' || decision === 'roll-back' || decision === 'stop'),
    );
    return last !== undefined && this.#looksUntil >= last.look.at;
  }

  #restart(at: number, after: number): Done {
    this.#pre = { startAt: at, policy: judgePolicyFor(this.#rollout.policy, this.#rows.size) };
    this.#beginPrePeriod();
    this.#acts.push({ kind: 'restart', at, after });
    return { kind: 'nothing' };
  }

  #beginPrePeriod(): void {
    const { startAt, policy } = this.#pre;
    this.#rows.beginPeriod({ startAt, lengthsMs: prePeriodLengths(policy) });
    this.#rows.beginWatch({ since: startAt, lostAfterMs: policy.lostAfterMs });
  }

  #propose(at: number, after: number): Done {
    const preRows = this.#rows.preRows();
    const plan = planRollout({
      preRows,
      metrics: this.#rollout.metrics,
      policy: this.#pre.policy,
      orderSalt: sha256Hex(`order ${this.#rollout.seed}`),
    });
    this.#isProposed = true;
    return { kind: 'plan', planned: recordPlan(plan, { at, after }), refusals: plan.refusals };
  }

  #adopt(at: number, after: number): Done {
    const planned = this.#rollout.planned!;
    const preRows = this.#rows.preRows();
    this.#frozen = { plan: readPlan(planned).plan, preRows, digest: planned.planDigest };
    this.#acts.push({ kind: 'plan', at, after });
    return { kind: 'nothing' };
  }

  #enter(step: number, enteredAt: number, after: number): Done {
    const { policy } = this.#frozen!.plan;
    this.#step = { step, enteredAt };
    this.#entered.push({ weightPpm: this.#frozen!.plan.steps[step]!.weightPpm, enteredAt });
    this.#looksUntil = Number.NEGATIVE_INFINITY;
    this.#rows.beginPeriod({ startAt: enteredAt + policy.warmUpMs, lengthsMs: stepLengths(policy) });
    if (step === 0) this.#rows.beginWatch({ since: enteredAt, lostAfterMs: policy.lostAfterMs });
    this.#acts.push({ kind: 'step', step, at: enteredAt, after });
    return { kind: 'nothing' };
  }

  #look(at: number, after: number, raised: number): Done {
    const { plan, preRows, digest } = this.#frozen!;
    const { step, enteredAt } = this.#step!;
    const rows = tabulate({
      plan,
      step,
      stepStartedAt: enteredAt,
      now: at,
      rows: this.#rows.rows(),
      preRows,
      bucketPpm: this.#rows.bucketPpm,
    });
    const signals = [
      ...this.#crashes.signals(),
      ...this.#rollout.signals.slice(0, raised).map((signal) => signalOf(signal)),
    ];
    const look = judge({
      plan,
      step,
      stepStartedAt: enteredAt,
      now: at,
      rows,
      history: this.#history,
      signals,
    });
    this.#history = look.history;
    this.#looksUntil = at;
    this.#lookedAt = at;
    this.#acts.push({ kind: 'look', at, after, ...(raised > 0 && { signals: raised }) });
    return {
      kind: 'look',
      look,
      script: { from: this.#from ?? after + 1, acts: [...this.#acts] },
      onInstanceHours: this.#rows.onInstanceHours(this.#rollout.steps.slice(0, step + 1)),
      planDigest: digest,
    };
  }
}
