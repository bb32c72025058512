import type { JsonValue } from '@headgate/contracts';
import { type Problem, problem } from './problem.js';
import type { Surroundings } from './surroundings.js';
import { segmentsIn } from './uses.js';

/** A rule may refer to segments that its channel has. */
export const checkSegments = (
  rule: JsonValue | undefined,
  path: string,
  { segment }: Pick<Surroundings, 'segment'>,
): readonly Problem[] =>
  segmentsIn(rule)
    .filter((name) => segment(name) === undefined)
    .map((name) =>
      problem(
        path,
        'unknown-segment',
        `the channel has no segment "${name}"; create it first, or mend the name`,
      ),
    );
