import type { FlagDefinition, JsonValue } from '@headgate/contracts';

/** Names of the segments that a rule refers to, each once, in order of appearance. */
export const segmentsIn = (rule: JsonValue | undefined): readonly string[] => {
  const names = new Set<string>();
  walk(rule ?? null, (node) => {
    const name = segmentOf(node);
    if (name !== null) names.add(name);
  });
  return [...names];
};

/** The name of the segment that a node stands for; null for any other node. */
export const segmentOf = (node: JsonValue): string | null => {
  if (node === null || typeof node !== 'object' || Array.isArray(node)) return null;
  const name = (node as { readonly [key: string]: JsonValue }).$ref;
  return typeof name === 'string' && Object.keys(node).length === 1 ? name : null;
};

/** Segments that any rule of a definition refers to. */
export const segmentsOf = (definition: FlagDefinition): readonly string[] => [
  ...new Set(
    [definition.targeting, ...(definition.rules ?? []).map((rule) => rule.when)].flatMap(segmentsIn),
  ),
];

/** Flags that must serve something before this one is evaluated, each once. */
export const prerequisitesOf = (definition: FlagDefinition): readonly string[] => [
  ...new Set((definition.prerequisites ?? []).map(({ flag }) => flag)),
];

/** Calls `visit` for every node of a rule, parents first. */
export const walk = (node: JsonValue, visit: (node: JsonValue) => void): void => {
  visit(node);
  if (node === null || typeof node !== 'object') return;
  for (const child of Object.values(node)) walk(child as JsonValue, visit);
};
