import { Document, isMap, isPair, isScalar, isSeq, type Node, visit } from 'yaml';
import { writeDefinition } from './definition-form.js';
import type { FlagFile } from './flag-file.js';

/** Conditions and arms stand on one line where they fit. */
const INLINE = ['when', 'targeting', 'split', 'from', 'to', 'serve', 'tags', 'prerequisites'];

/**
 * The file as YAML that people read: fields in one order, flags and segments as they come. The same file gives the same
 * text, and `parseFlagFile` gives it back.
 */
export const formatFlagFile = (file: FlagFile): string => {
  // Quoted where YAML 1.1 would read "on" as true: other tools still do.
  const document = new Document(readable(file), { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  layOut(document);
  return document.toString({ lineWidth: 110, flowCollectionPadding: true });
};

/** The same as JSON, which `parseFlagFile` reads too. */
export const formatFlagFileAsJson = (file: FlagFile): string =>
  `${JSON.stringify(readable(file), null, 2)}\n`;

const readable = ({ schema, channel, metadata, flagd, segments, flags }: FlagFile): object => ({
  schema,
  ...(channel === undefined ? {} : { channel }),
  ...(metadata === undefined ? {} : { metadata }),
  ...(flagd === undefined ? {} : { flagd }),
  ...(segments === undefined ? {} : { segments }),
  flags: Object.fromEntries(Object.entries(flags).map(([key, flag]) => [key, writeDefinition(flag)])),
});

const layOut = (document: Document): void => {
  visit(document, {
    Pair: (_key, pair, parents) => {
      const name = isScalar(pair.key) ? pair.key.value : undefined;
      const depth = parents.filter(isPair).length;
      if (depth >= 2 && typeof name === 'string' && INLINE.includes(name)) {
        // A list of arms stays a list, each arm on its line.
        if (name === 'split' || name === 'prerequisites') flowItems(pair.value);
        else if (name !== 'serve' || !holdsSplit(pair.value)) flow(pair.value);
        if (name === 'serve') return undefined;
        return name === 'split' || name === 'prerequisites' ? undefined : visit.SKIP;
      }
      if (depth === 0 && (name === 'flags' || name === 'segments') && isMap(pair.value))
        spaced(pair.value.items);
      return undefined;
    },
  });
};

const holdsSplit = (node: unknown): boolean => isMap(node) && (node.has('split') || node.has('ramp'));

const flow = (node: unknown): void => {
  if (isMap(node) || isSeq(node)) node.flow = true;
};

const flowItems = (node: unknown): void => {
  if (isSeq(node)) for (const item of node.items) flow(item);
};

/** An empty line before each flag but the first. */
const spaced = (items: readonly { key: unknown }[]): void => {
  for (const { key } of items.slice(1)) if (isScalar(key)) (key as Node).spaceBefore = true;
};
