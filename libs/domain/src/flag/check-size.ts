import type { FlagDefinition, JsonValue } from '@headgate/contracts';
import { compileFlag } from '@headgate/evaluation';
import { compileTargeting } from './compile-targeting.js';
import { jsonBytes } from './json-bytes.js';
import { type Problem, problem } from './problem.js';
import type { Surroundings } from './surroundings.js';
import { type CompilableFlag, withFlag } from './surroundings.js';

export const MAX_DEFINITION_BYTES = 65_536;
/**
 * Of everything that comes from the definition. Readers take documents of 128 KiB; the rest is left for what is added to it:
 * names, two reasons of 2,000 characters, a rollout.
 */
export const MAX_COMPILED_BYTES = 100_000;

/** Faults of a definition as a whole, and of what it is compiled into. */
export const checkSize = (
  definition: FlagDefinition,
  key: string,
  around: Surroundings,
): readonly Problem[] => {
  const bytes = jsonBytes(definition as unknown as JsonValue);
  if (bytes > MAX_DEFINITION_BYTES)
    return [
      problem(
        '',
        'too-large',
        `definition: ${bytes} bytes; at most ${MAX_DEFINITION_BYTES}, move large values out of the flag`,
      ),
    ];
  const flag: CompilableFlag = { key, status: 'active', definition, split: null };
  return checkCompiled(flag, withFlag(around, flag));
};

/** Faults of a flag's document once segments and prerequisites are written out in it. */
export const checkCompiled = (flag: CompilableFlag, around: Surroundings): readonly Problem[] => {
  const bytes = compiledBytes(flag, around);
  if (bytes > MAX_COMPILED_BYTES)
    return [
      problem(
        '',
        'too-large',
        `compiled with its segments and prerequisites it takes ${bytes} bytes; at most ${MAX_COMPILED_BYTES}: make them smaller, or refer to fewer`,
      ),
    ];
  const { key, definition } = flag;
  const { targeting, defaultVariant } = compileTargeting(flag, around);
  const { state, variants } = definition;
  const { errorCode, errorMessage = '' } = compileFlag({ key, state, variants, defaultVariant, targeting })(
    {},
  );
  if (errorCode !== 'PARSE_ERROR') return [];
  return [
    problem(
      '',
      'too-deep',
      `${errorMessage}, once its segments and prerequisites are written out; nest less`,
    ),
  ];
};

/** Bytes of what flagd clients get of a flag. */
export const compiledBytes = (flag: CompilableFlag, around: Surroundings): number => {
  const { variants, metadata = {}, tags = [], bounds = {} } = flag.definition;
  const { targeting } = compileTargeting(flag, around);
  return jsonBytes([variants, targeting ?? null, metadata, tags, bounds] as unknown as JsonValue);
};
