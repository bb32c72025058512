import type { FlagDefinition, JsonValue } from '@headgate/contracts';

const MAX_DEFINITION_BYTES = 65_536;

const kindOf = (value: JsonValue): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

/** What is wrong with a definition, one sentence per place, each with the mend; empty when it can be published. */
export const checkDefinition = (definition: FlagDefinition): readonly string[] => {
  const wrong: string[] = [];
  const names = Object.keys(definition.variants);
  if (names.length === 0) wrong.push('variants: empty; name at least one');
  const kinds = new Set(Object.values(definition.variants).map(kindOf));
  if (kinds.size > 1)
    wrong.push(`variants: mixed types (${[...kinds].join(', ')}); all variants of a flag have one type`);
  for (const kind of kinds)
    if (kind === 'null' || kind === 'array')
      wrong.push(`variants: ${kind} is not a flag value; use boolean, string, number or object`);
  const { defaultVariant } = definition;
  if (typeof defaultVariant === 'string' && !Object.hasOwn(definition.variants, defaultVariant))
    wrong.push(`defaultVariant: "${defaultVariant}" is not one of ${names.join(', ') || '(no variants)'}`);
  const bytes = JSON.stringify(definition).length;
  if (bytes > MAX_DEFINITION_BYTES)
    wrong.push(
      `definition: ${bytes} bytes; at most ${MAX_DEFINITION_BYTES}, move large values out of the flag`,
    );
  return wrong;
};
