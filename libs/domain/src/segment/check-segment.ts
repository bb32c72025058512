import type { SegmentDefinition } from '@headgate/contracts';
import { checkAttributes } from '../flag/check-attributes.js';
import { checkCondition } from '../flag/check-condition.js';
import { MAX_DEFINITION_BYTES } from '../flag/check-size.js';
import { jsonBytes } from '../flag/json-bytes.js';
import { type Problem, problem } from '../flag/problem.js';
import type { Surroundings } from '../flag/surroundings.js';
import { segmentsIn } from '../flag/uses.js';

/** What is wrong with a segment, place by place; empty when rules may use it. */
export const checkSegment = (
  { when }: SegmentDefinition,
  around: Pick<Surroundings, 'attributes'>,
): readonly Problem[] => {
  const [nested] = segmentsIn(when);
  if (nested !== undefined)
    return [
      problem(
        'when',
        'nested-segment',
        `refers to segment "${nested}"; segments cannot be nested, write its condition out`,
      ),
    ];
  const bytes = jsonBytes(when);
  if (bytes > MAX_DEFINITION_BYTES)
    return [
      problem(
        'when',
        'too-large',
        `${bytes} bytes; at most ${MAX_DEFINITION_BYTES}, part it over several segments`,
      ),
    ];
  return [...checkCondition(when, 'when'), ...checkAttributes(when, 'when', around)];
};
