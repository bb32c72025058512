/**
 * `{"$ref": "name"}` replaced by the evaluator of that name, once, wherever it stands, as flagd does before it reads a
 * document. One that names nothing stays, and does not compile.
 */
export const replaceReferences = (node: unknown, evaluators: Readonly<Record<string, unknown>>): unknown => {
  if (node === null || typeof node !== 'object') return node;
  if (Array.isArray(node)) return node.map((item) => replaceReferences(item, evaluators));
  const { $ref } = node as { readonly $ref?: unknown };
  if (typeof $ref === 'string' && Object.keys(node).length === 1 && Object.hasOwn(evaluators, $ref)) {
    return evaluators[$ref];
  }
  return Object.fromEntries(
    Object.entries(node).map(([name, value]) => [name, replaceReferences(value, evaluators)]),
  );
};
