import { Log } from '@headgate/service-kit';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { GATEWAY_OPTIONS, type GatewayOptions } from '../gateway-options.js';
import { UsageCounter } from './usage.js';
import { usageDocuments } from './usage-documents.js';

const EVERY_MS = 60_000;
/** A part that is away must not hold up the end. */
const LAST_WORD_MS = 2_000;

/**
 * Tells now and then what was evaluated here for clients that do not report themselves. Totals since the start, and only those that moved:
 * what is told twice counts once, and what could not be told is in the next.
 */
@Injectable()
export class UsageReporter implements OnApplicationShutdown {
  private readonly timer: NodeJS.Timeout | null = null;
  private readonly bootId: string;
  private seq = 0;
  /** Up to when everything was told. */
  private toldUntil = Number.NEGATIVE_INFINITY;
  private telling: Promise<void> | null = null;

  constructor(
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
    @Inject(UsageCounter) private readonly counter: UsageCounter,
    @Inject(Log) private readonly log: Log,
  ) {
    this.bootId = options.newId().replaceAll('-', '').slice(0, 32);
    if (options.usage === undefined) return;
    this.timer = setInterval(() => void this.tell(), options.usage.everyMs ?? EVERY_MS);
    this.timer.unref();
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.timer === null) return;
    clearInterval(this.timer);
    let wake: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      wake = setTimeout(resolve, LAST_WORD_MS);
    });
    await this.telling;
    await Promise.race([this.tell(), patience]);
    clearTimeout(wake);
  }

  private tell(): Promise<void> {
    this.telling ??= this.tellOnce().finally(() => {
      this.telling = null;
    });
    return this.telling;
  }

  private async tellOnce(): Promise<void> {
    const { usage, now } = this.options;
    // Rows of this very millisecond may still move: they are told again.
    const until = now();
    const rows = [...this.counter.read()].filter(({ lastAt }) => lastAt >= this.toldUntil);
    const documents = usageDocuments(rows, {
      gateway: usage?.gateway ?? '',
      bootId: this.bootId,
      nextSeq: () => {
        this.seq += 1;
        return this.seq;
      },
    });
    if (usage === undefined || documents.length === 0) return;
    try {
      await usage.tell(documents);
      this.toldUntil = until;
    } catch (error) {
      this.log.warn('the use of flags could not be told; it is told again', {
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }
}
