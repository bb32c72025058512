export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

const MAX_BUFFER = 8 * 1_048_576;

/** Splits a text/event-stream into its events (WHATWG HTML §9.2.6), comments left out. */
export async function* serverEvents(chunks: AsyncIterable<string>): AsyncIterable<ServerEvent> {
  let buffer = '';
  for await (const chunk of chunks) {
    buffer += chunk;
    if (buffer.length > MAX_BUFFER) throw new Error('an event of more than 8 MiB');
    const blocks = buffer.split(/\r?\n\r?\n/);
    buffer = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event) yield event;
    }
  }
}

const parseBlock = (block: string): ServerEvent | null => {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ''] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
  return data.length === 0 ? null : { event, data: data.join('\n') };
};
