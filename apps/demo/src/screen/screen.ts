import type { LookView, RolloutView } from '@headgate/contracts';

/** What a person sees: lines that stay, and on a terminal a few live lines below them. */
export interface Screen {
  say(line: string): void;
  title(line: string): void;
  rollout(view: RolloutView): void;
  look(view: LookView): void;
  note(line: string): void;
  close(): void;
}

export const openScreen = (out: NodeJS.WriteStream, startedAt: number, now: () => number): Screen => {
  const isLive = Boolean(out.isTTY) && !process.env.CI;
  const isColoured = isLive && !process.env.NO_COLOR;
  const paint = (code: number, text: string): string => (isColoured ? `\x1b[${code}m${text}\x1b[0m` : text);
  let live: readonly string[] = [];
  let rollout: RolloutView | null = null;
  let note = '';
  const clear = (): void => {
    if (live.length > 0) out.write(`\x1b[${live.length}A\x1b[J`);
    live = [];
  };
  const draw = (lines: readonly string[]): void => {
    if (!isLive) return;
    clear();
    live = [...lines, note]
      .filter((line) => line !== '')
      .map((line) => line.slice(0, (out.columns ?? 100) - 1));
    if (live.length > 0) out.write(`${live.join('\n')}\n`);
  };
  const say = (line: string): void => {
    clear();
    out.write(`${paint(2, `${((now() - startedAt) / 1_000).toFixed(1).padStart(6)} s`)}  ${line}\n`);
  };
  return {
    say,
    title: (line) => {
      clear();
      out.write(`\n${paint(1, line)}\n`);
    },
    rollout: (view) => {
      rollout = view;
      draw([ladder(view)]);
    },
    look: (view) => {
      if (isLive) draw([...(rollout ? [ladder(rollout)] : []), evidence(view)]);
      else say(`look: ${evidence(view)}`);
    },
    note: (line) => {
      note = line;
    },
    close: clear,
  };
};

const ladder = (view: RolloutView): string =>
  `${view.flagKey} ${view.status}: ${(view.ladderPpm ?? [])
    .map((ppm, index) => (index === view.step ? `[${ppm / 10_000} %]` : `${ppm / 10_000} %`))
    .join(' ─ ')}`;

const BAR = 30;

/** Evidence is multiplicative: the bar is on a logarithmic scale from 1 to the threshold. */
const evidence = (look: LookView): string => {
  const share = Math.max(0, Math.min(1, Math.log(Math.max(look.evidence, 1)) / Math.log(look.threshold)));
  const bar = '█'.repeat(Math.round(share * BAR)).padEnd(BAR, '·');
  return `step ${look.step + 1} at ${look.weightPpm / 10_000} %  ${bar} evidence ${look.evidence.toFixed(2)} of ${look.threshold}, ${look.instances.canary} canary / ${look.instances.baseline} baseline, ${look.decision} (${look.code})`;
};
