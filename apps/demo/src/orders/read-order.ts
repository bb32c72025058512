import { type Order, toOrder } from './order.js';

/** The reader that is in use: walks the characters. */
export const readOrder = (line: string): Order => {
  const fields: string[] = [];
  let field = '';
  let isQuoted = false;
  for (const character of line) {
    if (character === '"') isQuoted = !isQuoted;
    else if (character === ';' && !isQuoted) {
      fields.push(field);
      field = '';
    } else field += character;
  }
  fields.push(field);
  return toOrder(fields);
};

/** Its rewrite: most lines hold no quotes, and those need no walking. */
export const readOrderV2 = (line: string): Order =>
  toOrder(
    line.includes('"')
      ? [...line.matchAll(/(?:^|;)(?:"([^"]*)"|([^;]*))/g)].map((match) => match[1] ?? match[2] ?? '')
      : line.split(';'),
  );
