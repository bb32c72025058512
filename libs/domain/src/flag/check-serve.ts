import type { FlagDefinition, Serve } from '@headgate/contracts';
import { checkAttribute } from './check-attributes.js';
import { WHOLE_PPM } from './compile-serve.js';
import { type Problem, problem } from './problem.js';
import type { Surroundings } from './surroundings.js';

/** Faults of one `serve`: variants that do not exist, shares that do not make a whole, ramps that go back in time. */
export const checkServe = (
  serve: Serve,
  { variants }: FlagDefinition,
  path: string,
  around: Pick<Surroundings, 'attributes'>,
): readonly Problem[] => {
  const variant = (name: string, at: string): readonly Problem[] =>
    Object.hasOwn(variants, name)
      ? []
      : [
          problem(
            `${path}.${at}`,
            'unknown-variant',
            `"${name}" is not one of ${Object.keys(variants).join(', ')}`,
          ),
        ];
  if ('variant' in serve) return variant(serve.variant, 'variant');
  const bucketBy = serve.bucketBy ? checkAttribute(serve.bucketBy, `${path}.bucketBy`, around) : [];
  if ('split' in serve)
    return [
      ...bucketBy,
      ...serve.split.flatMap((arm, i) => variant(arm.variant, `split.${i}.variant`)),
      ...checkSum(serve.split, `${path}.split`),
    ];
  const { from, to, rest } = serve.ramp;
  return [
    ...bucketBy,
    ...variant(serve.ramp.variant, 'ramp.variant'),
    ...(rest === undefined ? [] : variant(rest, 'ramp.rest')),
    ...(rest === serve.ramp.variant
      ? [problem(`${path}.ramp.rest`, 'ramp-goes-nowhere', `"${rest}" is the ramp’s variant too`)]
      : []),
    ...(to.at > from.at
      ? []
      : [
          problem(
            `${path}.ramp.to.at`,
            'ramp-order',
            `${new Date(to.at).toISOString()} is not after from.at, ${new Date(from.at).toISOString()}; swap them, or serve a split`,
          ),
        ]),
  ];
};

const checkSum = (arms: readonly { readonly weightPpm: number }[], path: string): readonly Problem[] => {
  const sum = arms.reduce((total, { weightPpm }) => total + weightPpm, 0);
  if (sum === WHOLE_PPM) return [];
  const [missing, verb] = sum < WHOLE_PPM ? [WHOLE_PPM - sum, 'add'] : [sum - WHOLE_PPM, 'take off'];
  return [problem(path, 'split-sum', `the weights sum to ${sum}, not to ${WHOLE_PPM}; ${verb} ${missing}`)];
};
