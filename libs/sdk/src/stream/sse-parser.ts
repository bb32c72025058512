export interface ServerSentEvent {
  /** Defaults to `message`. */
  readonly event: string;
  readonly data: string;
  /** Last id the stream has named so far; '' when none. */
  readonly id: string;
}

export interface SseSink {
  onEvent(event: ServerSentEvent): void;
  /** The server's wish for the delay before a reconnect, in milliseconds. */
  onRetry?(delayMs: number): void;
}

/** An event that grows past the limit: the connection has to go, its memory with it. */
export class EventTooLarge extends Error {
  override readonly name = 'EventTooLarge';
}

const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Server-sent events from bytes, however they are cut, by WHATWG HTML §9.2.6. Any bytes are taken; `push` throws
 * `EventTooLarge` when one event holds more than `maxEventBytes`, and nothing else.
 */
export class SseParser {
  private readonly parts: Buffer[] = [];
  private lineBytes = 0;
  private eventBytes = 0;
  private endsWithCr = false;
  private isFirstLine = true;
  private event = '';
  private data: string[] = [];
  private id = '';

  constructor(
    private readonly sink: SseSink,
    private readonly maxEventBytes: number,
  ) {}

  push(chunk: Buffer): void {
    let start = 0;
    // The second half of a CR LF that was cut in two ends no line of its own.
    if (this.endsWithCr && chunk.length > 0) {
      if (chunk[0] === LF) start = 1;
      this.endsWithCr = false;
    }
    for (let i = nextEnd(chunk, start); i !== -1; i = nextEnd(chunk, start)) {
      this.add(chunk.subarray(start, i));
      this.endLine();
      start = i + 1;
      if (chunk[i] !== CR) continue;
      if (start === chunk.length) this.endsWithCr = true;
      else if (chunk[start] === LF) start += 1;
    }
    this.add(chunk.subarray(start));
  }

  private add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.lineBytes += bytes.length;
    if (this.eventBytes + this.lineBytes > this.maxEventBytes) {
      throw new EventTooLarge(`one event holds more than ${this.maxEventBytes} bytes`);
    }
    this.parts.push(bytes);
  }

  private endLine(): void {
    const bytes = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts, this.lineBytes);
    let line = bytes.toString('utf8');
    this.eventBytes += this.lineBytes;
    this.parts.length = 0;
    this.lineBytes = 0;
    if (this.isFirstLine && line.startsWith(BYTE_ORDER_MARK)) line = line.slice(1);
    this.isFirstLine = false;
    if (line === '') this.dispatch();
    else if (!line.startsWith(':')) this.field(line);
  }

  private field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const raw = colon === -1 ? '' : line.slice(colon + 1);
    const value = raw.startsWith(' ') ? raw.slice(1) : raw;
    if (name === 'data') this.data.push(value);
    else if (name === 'event') this.event = value;
    else if (name === 'id' && !value.includes('\0')) this.id = value;
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) this.sink.onRetry?.(Number(value));
  }

  private dispatch(): void {
    const { event, data } = this;
    this.event = '';
    this.data = [];
    this.eventBytes = 0;
    if (data.length > 0) this.sink.onEvent({ event: event || 'message', data: data.join('\n'), id: this.id });
  }
}

const nextEnd = (chunk: Buffer, from: number): number => {
  const lf = chunk.indexOf(LF, from);
  const cr = chunk.subarray(from, lf === -1 ? chunk.length : lf).indexOf(CR);
  return cr === -1 ? lf : from + cr;
};
