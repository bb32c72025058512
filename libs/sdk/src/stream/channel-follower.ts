import { backoffMs, retryAfterMs } from '../http/backoff.js';
import { type ConnectionEnd, openGatewayConnection } from './gateway-connection.js';
import type { ServerSentEvent } from './sse-parser.js';

export type Reception =
  | { readonly ok: true }
  /** `ask-anew`: the source is behind or has gaps, a whole state mends it. `distrust`: it offered what must not be. */
  | { readonly ok: false; readonly remedy: 'ask-anew' | 'distrust'; readonly message: string };

export interface FollowerOptions {
  readonly url: URL;
  readonly token: string | undefined;
  readonly now: () => number;
  readonly random: () => number;
  /** `<epoch>.<n>` of what is held; null asks for the whole state. */
  readonly lastEventId: () => string | null;
  readonly receive: (event: ServerSentEvent) => Reception;
  readonly onConnection: (connection: 'connecting' | 'connected' | 'waiting') => void;
  readonly onProblem: (code: string, message: string) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Three of the gateway's heartbeats. */
const SILENCE_MS = 45_000;
/** A whole state of the largest channel, as the channel reader limits it. */
const MAX_EVENT_BYTES = 67_108_864;
const LIMITS = { baseMs: 500, maxMs: 30_000 };
/** A connection that held this long was a good one: the next failure is a first failure. */
const GOOD_AFTER_MS = 10_000;

/** Stays connected to a channel: one connection at a time, and after its end the next, full-jittered. */
export class ChannelFollower {
  private isClosed = false;
  private disconnect: (() => void) | null = null;
  private timer: NodeJS.Timeout | null = null;
  private failures = 0;
  private openedAt: number | null = null;
  private serverDelayMs = 0;
  private wantsState = false;

  constructor(private readonly options: FollowerOptions) {}

  start(): void {
    if (this.isClosed || this.disconnect || this.timer) return;
    this.connect();
  }

  close(): void {
    this.isClosed = true;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.disconnect?.();
  }

  private connect(): void {
    const { options } = this;
    options.onConnection('connecting');
    this.openedAt = null;
    this.disconnect = openGatewayConnection(
      {
        url: options.url,
        token: options.token,
        lastEventId: this.wantsState ? null : options.lastEventId(),
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        silenceMs: SILENCE_MS,
        maxEventBytes: MAX_EVENT_BYTES,
      },
      {
        onOpen: () => {
          this.openedAt = options.now();
          this.wantsState = false;
          options.onConnection('connected');
        },
        onRetry: (delayMs) => {
          this.serverDelayMs = Math.min(delayMs, LIMITS.maxMs);
        },
        onEvent: (event) => this.receive(event),
        onEnd: (end) => this.afterEnd(end),
      },
    );
  }

  private receive(event: ServerSentEvent): string | null {
    const reception = this.options.receive(event);
    if (reception.ok) return null;
    if (reception.remedy === 'ask-anew') this.wantsState = true;
    return reception.message;
  }

  private afterEnd(end: ConnectionEnd): void {
    this.disconnect = null;
    if (this.isClosed) return;
    const { now, random, onConnection, onProblem } = this.options;
    const held = this.openedAt === null ? 0 : now() - this.openedAt;
    if (end.code === 'distrusted' || held < GOOD_AFTER_MS) this.failures += 1;
    else this.failures = 1;
    onProblem(`connection-${end.code}`, end.message);
    onConnection('waiting');
    const floor = Math.max(retryAfterMs(end.retryAfter, now()) ?? 0, this.serverDelayMs);
    const wait = floor + backoffMs(this.failures - 1, LIMITS, random);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.connect();
    }, wait);
    this.timer.unref();
  }
}
