import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { GRPC_STATUS, type GrpcCode } from './grpc-status.js';

interface Status {
  readonly code: GrpcCode;
  readonly message: string;
}

/** The answering side of one call. Nothing throws when the caller has gone: it is told by `onClose`. */
export class GrpcCall {
  private status: Status | null = null;

  constructor(
    private readonly stream: ServerHttp2Stream,
    private readonly headers: IncomingHttpHeaders,
  ) {
    stream.on('wantTrailers', () => stream.sendTrailers(trailersOf(this.status ?? CUT)));
  }

  /** An entry of the caller's metadata; several of one name are joined by commas. */
  metadata(name: string): string | undefined {
    const value = this.headers[name];
    return Array.isArray(value) ? value.join(',') : value;
  }

  /** Of the machine that the connection comes from. */
  get address(): string {
    return this.stream.session?.socket?.remoteAddress ?? '';
  }

  get isOpen(): boolean {
    return this.status === null && !this.stream.destroyed && !this.stream.closed;
  }

  /**
   * The bytes are not copied: they must stay as they are. `onSent` is called when they have left for the caller's machine, which
   * may be never.
   */
  send(frame: Buffer, onSent?: () => void): void {
    if (!this.isOpen) return;
    this.open();
    this.stream.write(frame, (error) => {
      if (!error) onSent?.();
    });
  }

  /** Says that the call is served, before there is a message. */
  open(): void {
    if (this.isOpen && !this.stream.headersSent)
      this.stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  }

  /** What was sent before still arrives. The first end counts. */
  end(code: GrpcCode, message = ''): void {
    if (!this.isOpen) return;
    this.status = { code, message };
    if (this.stream.headersSent) {
      this.stream.end();
      return;
    }
    const head = { ':status': 200, 'content-type': 'application/grpc' };
    this.stream.respond({ ...head, ...trailersOf(this.status) }, { endStream: true });
  }

  /** Without waiting for what was not taken yet: for a caller that does not read. */
  cut(): void {
    this.stream.close(constants.NGHTTP2_CANCEL);
  }

  onClose(listener: () => void): void {
    if (this.stream.closed || this.stream.destroyed) listener();
    else this.stream.once('close', listener);
  }
}

const CUT: Status = { code: 'internal', message: 'the call was left without a status' };

const trailersOf = ({ code, message }: Status): Record<string, string> => ({
  'grpc-status': String(GRPC_STATUS[code]),
  ...(message === '' ? {} : { 'grpc-message': percentEncoded(message) }),
});

/** UTF-8, of which only printable ASCII but the percent sign stands for itself. */
const percentEncoded = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
