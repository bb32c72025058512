import { telemetrySubject } from '@headgate/contracts';
import type { ReceivedReport } from './read-reports.js';

/** Appends one message to TELEMETRY; resolves when the server has acknowledged it. */
export type AppendTelemetry = (subject: string, data: Uint8Array) => Promise<unknown>;

export interface PackerLimits {
  /** How long the first report of a pack waits for company. */
  readonly windowMs: number;
  readonly maxReportsPerPack: number;
  readonly maxPackBytes: number;
  /** Packs on their way at once. Each costs the server a sync that the log has to share. */
  readonly maxPacksInFlight: number;
  /** Reports held, waiting or on their way; more are refused until some are acknowledged. */
  readonly maxHeldBytes: number;
}

export const PACKER_LIMITS: PackerLimits = {
  windowMs: 4,
  maxReportsPerPack: 100,
  maxPackBytes: 512 * 1_024,
  maxPacksInFlight: 4,
  maxHeldBytes: 32 * 1_048_576,
};

/** More is held than the server takes; nothing was kept. */
export class PackerFull extends Error {
  override readonly name = 'PackerFull';
}

interface Pack {
  readonly project: string;
  readonly texts: string[];
  bytes: number;
  readonly acknowledged: Promise<void>;
  readonly settle: { resolve(): void; reject(reason: unknown): void };
}

const HEAD_BYTES = 96;

/**
 * Reports that arrive together share a message of TELEMETRY, which is what makes a synced acknowledgement affordable. A pack
 * leaves when it is full, when its window is over, or, while the server is busy, as soon as its turn comes.
 */
export class ReportPacker {
  readonly #append: AppendTelemetry;
  readonly #clock: () => number;
  readonly #limits: PackerLimits;
  /** One per project, still taking reports. */
  readonly #open = new Map<string, { pack: Pack; timer: NodeJS.Timeout }>();
  readonly #waiting: Pack[] = [];
  #inFlight = 0;
  #heldBytes = 0;

  constructor(options: { append: AppendTelemetry; clock: () => number; limits?: Partial<PackerLimits> }) {
    this.#append = options.append;
    this.#clock = options.clock;
    this.#limits = { ...PACKER_LIMITS, ...options.limits };
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Resolves when every one of these reports is acknowledged by the server. Rejects with `PackerFull` before keeping any, or
   * with the append's error; then some may have been kept, which sending them again does not double.
   */
  async add(reports: readonly ReceivedReport[]): Promise<void> {
    const bytes = reports.reduce((sum, report) => sum + report.bytes, 0);
    if (this.#heldBytes + bytes > this.#limits.maxHeldBytes)
      throw new PackerFull(`${this.#heldBytes} bytes of reports wait for the server already`);
    const packs = new Set(reports.map((report) => this.#put(report)));
    await Promise.all([...packs].map((pack) => pack.acknowledged));
  }

  /** Sends what is held and waits for it. */
  async close(): Promise<void> {
    const held = [...this.#open.values()].map(({ pack }) => pack);
    const last = [...held, ...this.#waiting].map((pack) => pack.acknowledged);
    for (const pack of held) this.#seal(pack);
    await Promise.allSettled(last);
  }

  #put(report: ReceivedReport): Pack {
    const bytes = report.bytes + 1;
    let open = this.#open.get(report.project)?.pack;
    if (open && open.bytes + bytes > this.#limits.maxPackBytes) {
      this.#seal(open);
      open = undefined;
    }
    const pack = open ?? this.#start(report.project);
    pack.texts.push(report.text);
    pack.bytes += bytes;
    this.#heldBytes += bytes;
    if (pack.texts.length >= this.#limits.maxReportsPerPack) this.#seal(pack);
    return pack;
  }

  #start(project: string): Pack {
    let settle!: Pack['settle'];
    const acknowledged = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    // Whoever added a report hears of a failure; the promise itself must not count as unhandled before they listen.
    acknowledged.catch(() => {});
    const pack: Pack = { project, texts: [], bytes: HEAD_BYTES, acknowledged, settle };
    const timer = setTimeout(() => this.#seal(pack), this.#limits.windowMs);
    this.#open.set(project, { pack, timer });
    return pack;
  }

  #seal(pack: Pack): void {
    const open = this.#open.get(pack.project);
    if (open?.pack !== pack) return;
    clearTimeout(open.timer);
    this.#open.delete(pack.project);
    this.#waiting.push(pack);
    this.#send();
  }

  #send(): void {
    while (this.#inFlight < this.#limits.maxPacksInFlight) {
      const pack = this.#waiting.shift();
      if (!pack) return;
      this.#inFlight += 1;
      void this.#deliver(pack);
    }
  }

  async #deliver(pack: Pack): Promise<void> {
    try {
      await this.#append(telemetrySubject(pack.project), encode(pack.texts, this.#clock()));
      pack.settle.resolve();
    } catch (cause) {
      pack.settle.reject(cause);
    } finally {
      this.#inFlight -= 1;
      this.#heldBytes -= pack.bytes - HEAD_BYTES;
      this.#send();
    }
  }
}

/** A `telemetryPack` of contracts, put together from texts that were checked one by one. */
const encode = (texts: readonly string[], receivedAt: number): Uint8Array =>
  Buffer.from(
    `{"schema":"headgate.telemetry-received.v1","receivedAt":${receivedAt},"reports":[${texts.join(',')}]}`,
  );
