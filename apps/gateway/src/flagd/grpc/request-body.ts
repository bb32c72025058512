/** Most requests fit. */
const FIRST_BYTES = 4_096;

/** A request as far as it has come, in one piece: kept as the parts that it came in, one byte each would cost a hundred. */
export class RequestBody {
  private bytes = Buffer.alloc(0);
  private length = 0;

  constructor(private readonly maxBytes: number) {}

  /** What it takes up. */
  get heldBytes(): number {
    return this.bytes.length;
  }

  /** False when the part does not fit any more. */
  add(part: Buffer): boolean {
    const length = this.length + part.length;
    if (length > this.maxBytes) return false;
    if (length > this.bytes.length) this.grow(length);
    part.copy(this.bytes, this.length);
    this.length = length;
    return true;
  }

  read(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  forget(): void {
    this.bytes = Buffer.alloc(0);
    this.length = 0;
  }

  private grow(length: number): void {
    const wanted = Math.max(length, 2 * this.bytes.length, FIRST_BYTES);
    const grown = Buffer.allocUnsafeSlow(Math.min(wanted, this.maxBytes));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}
