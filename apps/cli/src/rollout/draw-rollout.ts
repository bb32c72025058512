import type { LookView, RolloutView, SignalView, VerdictView } from '@headgate/contracts';
import { instant, percent } from '../output/figures.js';
import { printable } from '../output/table.js';

type Paint = (text: string) => string;
export interface Palette {
  readonly good: Paint;
  readonly bad: Paint;
  readonly dim: Paint;
  readonly strong: Paint;
}

const sgr =
  (code: number): Paint =>
  (text) =>
    `\u001b[${code}m${text}\u001b[0m`;
export const palette = (isColoured: boolean): Palette => {
  const plain: Paint = (text) => text;
  if (!isColoured) return { good: plain, bad: plain, dim: plain, strong: plain };
  return { good: sgr(32), bad: sgr(31), dim: sgr(2), strong: sgr(1) };
};

const figure = (value: number): string =>
  Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential(2)
    : String(Number(value.toFixed(3)));

export const evidenceLine = (look: LookView | VerdictView): string => {
  const { canary, baseline } = look.instances;
  return (
    `${look.decision} (${printable(look.code)}), evidence ${figure(look.evidence)} of ${figure(look.threshold)}, ` +
    `${canary} canary and ${baseline} baseline instances, ${figure(look.onInstanceHours)} instance hours on`
  );
};

/** Raised by hand; crashes and limits stand among the reasons of the look that found them. */
export const signalLine = ({ at, signal, source, weightPpm, why }: SignalView): string =>
  `${instant(at)}  ${signal} of ${source.kind} ${printable(source.name)} at ${percent(weightPpm)}: ${printable(why)}`;

/** The whole rollout as lines: head, ladder, what the judge said last. Words carry everything; colour and signs only repeat it. */
export const drawRollout = (
  rollout: RolloutView,
  look: LookView | null,
  paint: Palette,
): readonly string[] => {
  const { id, flagKey, variant, project, channel, status, step, weightPpm, ladderPpm } = rollout;
  const where = step === null ? status : `${status}, step ${step + 1} of ${ladderPpm?.length ?? '?'}`;
  const tone = status === 'completed' ? paint.good : rollout.endedAt === null ? paint.strong : paint.bad;
  const newest = look ?? rollout.verdicts.at(-1) ?? null;
  return [
    `${paint.strong(printable(flagKey))} → ${printable(variant)}  ${paint.dim(printable(`${project}/${channel} rollout ${id}`))}`,
    `${tone(where)} at ${percent(weightPpm)}${rollout.endReason ? `: ${printable(rollout.endReason)}` : ''}`,
    ...ladder(rollout, paint),
    ...(rollout.signals ?? []).map(signalLine),
    ...(newest
      ? [`judge: ${evidenceLine(newest)}`, ...newest.reasons.map((reason) => `  - ${printable(reason)}`)]
      : [paint.dim('judge: nothing said yet')]),
  ];
};

const ladder = (
  { ladderPpm, steps, verdicts, endedAt, status }: RolloutView,
  paint: Palette,
): readonly string[] =>
  (ladderPpm ?? []).map((weightPpm, index) => {
    const entered = steps.find(({ step }) => step === index);
    const weight = percent(weightPpm).padStart(8);
    if (!entered) return paint.dim(`  ○ ${weight}`);
    const isNewest = entered === steps.at(-1);
    const next = steps.find(({ step }) => step === index + 1);
    const promotedBy = verdicts.find((verdict) => verdict.id === next?.verdictId);
    const since = `since ${instant(entered.enteredAt)}`;
    if (!isNewest)
      return paint.good(
        `  ● ${weight}  ${since}  promoted${promotedBy ? ` (${printable(promotedBy.code)})` : ''}`,
      );
    if (endedAt === null) return paint.strong(`  ▶ ${weight}  ${since}`);
    return (status === 'completed' ? paint.good : paint.bad)(`  ■ ${weight}  ${since}  ${status}`);
  });

/** One line per event, for logs. */
export const rolloutLine = (rollout: RolloutView): string =>
  `rollout ${rollout.id} ${rollout.status}${rollout.step === null ? '' : ` step ${rollout.step + 1}`} ` +
  `${percent(rollout.weightPpm)}${rollout.endReason ? ` ${printable(rollout.endReason)}` : ''}`;

export const lookLine = (look: LookView): string => `look step ${look.step + 1} ${evidenceLine(look)}`;
