import type { LookView, RolloutView } from '@headgate/contracts';
import { printLines } from '../output/print.js';
import type { Session } from '../session.js';
import { hasColour } from '../terminal.js';
import { drawRollout, lookLine, palette, rolloutLine } from './draw-rollout.js';
import type { Watcher } from './watch-rollout.js';

/** How a watched rollout looks here: redrawn for people at a terminal, one line per event elsewhere, NDJSON with `-o json`. */
export const showWatch = ({ terminal, settings }: Session): Watcher => {
  if (settings.output === 'json') {
    const line = (event: string, data: unknown): void =>
      printLines(terminal, [JSON.stringify({ event, data })]);
    return { onRollout: (rollout) => line('rollout', rollout), onLook: (look) => line('look', look) };
  }
  if (terminal.out.isTTY !== true) {
    return {
      onRollout: (rollout) => printLines(terminal, [rolloutLine(rollout)]),
      onLook: (look) => printLines(terminal, [lookLine(look)]),
    };
  }
  const paint = palette(hasColour(terminal));
  let drawn = 0;
  let rollout: RolloutView | null = null;
  let look: LookView | null = null;
  const draw = (): void => {
    if (!rollout) return;
    const width = terminal.out.columns ?? 80;
    const lines = drawRollout(rollout, look, paint).flatMap((line) => fold(line, width));
    // Up to where we began, and clear from there: never the whole screen, which holds other people's work.
    terminal.out.write(`${drawn > 0 ? `\u001b[${drawn}A\r\u001b[J` : ''}${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  return {
    onRollout: (next) => {
      // A look of an earlier step says nothing about this one.
      if (next.step !== rollout?.step || next.endedAt !== null) look = null;
      rollout = next;
      draw();
    },
    onLook: (next) => {
      look = next;
      draw();
    },
  };
};

/** Long lines are cut into what a row holds, so that the number of rows drawn is known. Lines with colour are short by make. */
const fold = (line: string, width: number): readonly string[] => {
  if (line.length <= width || line.includes('\u001b')) return [line];
  return [line.slice(0, width), ...fold(`    ${line.slice(width)}`, width)];
};
