import { GATEWAY_EVENTS } from '@headgate/contracts';
import { backoffMs, retryAfterMs } from '../http/backoff.js';
import { type ConnectionEnd, openGatewayConnection } from './gateway-connection.js';
import { FIRST, nextStanding, type Outcome } from './next-attempt.js';
import { type PollAnswer, pollState } from './poll-state.js';
import type { ServerSentEvent } from './sse-parser.js';

export type Reception =
  | { readonly ok: true }
  /** `ask-anew`: the source is behind or has gaps, a whole state mends it. `distrust`: it offered what must not be. */
  | { readonly ok: false; readonly remedy: 'ask-anew' | 'distrust'; readonly message: string };

type Connection = 'connecting' | 'connected' | 'polling' | 'waiting';

export interface FollowerOptions {
  readonly url: URL;
  readonly token: string | undefined;
  readonly pollEveryMs: number;
  readonly now: () => number;
  readonly random: () => number;
  /** `<epoch>.<n>` of what is held; null asks for the whole state. */
  readonly lastEventId: () => string | null;
  readonly receive: (event: ServerSentEvent) => Reception;
  /** Only what differs from before. `connected` and `polling`: something was taken that way. */
  readonly onConnection: (connection: Connection) => void;
  readonly onProblem: (code: string, message: string) => void;
}

/** What a follower needs of the machine: specs hand in their own. */
export interface FollowerPorts {
  readonly connect: typeof openGatewayConnection;
  readonly poll: typeof pollState;
  /** Returns what takes the run off again. */
  readonly runAfter: (waitMs: number, run: () => void) => () => void;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** A gateway speaks at once; with nothing after this long something in between holds it back. */
const FIRST_EVENT_MS = 20_000;
/** Three of the gateway's heartbeats. */
const SILENCE_MS = 45_000;
const POLL_TIMEOUT_MS = 30_000;
/** A whole state of the largest channel, as the channel reader limits it. */
const MAX_EVENT_BYTES = 67_108_864;
/** Two seconds, so that a thousand that lost their gateway at once come back at no more than twice their mean rate (bench `fanout`). */
const LIMITS = { baseMs: 2_000, maxMs: 30_000 };
/** A connection that held this long was a good one: the next failure is a first failure. */
const GOOD_AFTER_MS = 10_000;
/** Answers that say: not this way. */
const NO_STREAM_HERE = [404, 405, 406, 501];

const machinePorts: FollowerPorts = {
  connect: openGatewayConnection,
  poll: pollState,
  runAfter: (waitMs, run) => {
    const timer = setTimeout(run, waitMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Stays with a channel: one attempt at a time, a stream where one can live and polls where none can, the next after a wait
 * with full jitter and never before the server asked for it.
 */
export class ChannelFollower {
  private isClosed = false;
  private stop: (() => void) | null = null;
  private standing = FIRST;
  private connection: Connection | null = null;
  private openedAt: number | null = null;
  private serverDelayMs = 0;
  private wantsState = false;
  private etag: string | null = null;

  constructor(
    private readonly options: FollowerOptions,
    private readonly ports: FollowerPorts = machinePorts,
  ) {}

  start(): void {
    if (!this.isClosed && this.stop === null) this.attempt();
  }

  close(): void {
    this.isClosed = true;
    this.stop?.();
    this.stop = null;
  }

  private attempt(): void {
    if (this.standing.way === 'stream') this.openStream();
    else this.startPoll();
  }

  private openStream(): void {
    const { options } = this;
    // Whoever polls goes on being served while a stream is tried.
    if (this.connection !== 'polling') this.show('connecting');
    this.openedAt = null;
    this.stop = this.ports.connect(
      {
        url: options.url,
        token: options.token,
        lastEventId: this.wantsState ? null : options.lastEventId(),
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        firstEventMs: FIRST_EVENT_MS,
        silenceMs: SILENCE_MS,
        maxEventBytes: MAX_EVENT_BYTES,
      },
      {
        onOpen: () => {
          this.openedAt = options.now();
          this.wantsState = false;
        },
        onRetry: (delayMs) => {
          this.serverDelayMs = Math.min(delayMs, LIMITS.maxMs);
        },
        onEvent: (event) => this.receive(event, 'connected'),
        onEnd: (end) => this.afterStream(end),
      },
    );
  }

  private startPoll(): void {
    const { url, token } = this.options;
    if (this.connection === 'waiting') this.show('connecting');
    this.stop = this.ports.poll(
      { url, token, etag: this.etag, timeoutMs: POLL_TIMEOUT_MS, maxBytes: MAX_EVENT_BYTES },
      (answer) => this.afterPoll(answer),
    );
  }

  /** What is wrong with the source, if anything. */
  private receive(event: ServerSentEvent, connection: Connection): string | null {
    const reception = this.options.receive(event);
    if (reception.ok) {
      this.show(connection);
      return null;
    }
    if (reception.remedy === 'ask-anew') this.wantsState = true;
    return reception.message;
  }

  private afterStream(end: ConnectionEnd): void {
    this.stop = null;
    if (this.isClosed) return;
    const { now, onProblem } = this.options;
    const heldMs = this.openedAt === null ? 0 : now() - this.openedAt;
    onProblem(`connection-${end.code}`, end.message);
    this.goOn({ way: 'stream', result: resultOf(end, heldMs) }, end.retryAfter);
  }

  private afterPoll(answer: PollAnswer): void {
    this.stop = null;
    if (this.isClosed) return;
    const message = this.take(answer);
    if (message === null) this.show('polling');
    else {
      this.etag = null;
      this.options.onProblem('poll-failed', message);
    }
    const retryAfter = answer.kind === 'failed' ? answer.retryAfter : undefined;
    this.goOn({ way: 'poll', result: message === null ? 'good' : 'failed' }, retryAfter);
  }

  private take(answer: PollAnswer): string | null {
    if (answer.kind === 'failed') return answer.message;
    if (answer.kind === 'unchanged') return null;
    const event = { event: GATEWAY_EVENTS.state, data: answer.body, id: '' };
    const message = this.receive(event, 'polling');
    if (message === null) this.etag = answer.etag;
    return message;
  }

  private goOn(outcome: Outcome, retryAfter: string | undefined): void {
    const { now, random, pollEveryMs } = this.options;
    const before = this.standing;
    this.standing = nextStanding(before, outcome, { now: now(), random });
    // A stream that was only tried, from polling, is no loss.
    const isStillServed = this.connection === 'polling' && this.standing.way === 'poll';
    if (outcome.result !== 'good' || outcome.way === 'stream') if (!isStillServed) this.show('waiting');
    const floor = Math.max(retryAfterMs(retryAfter, now()) ?? 0, this.serverDelayMs);
    const { failures } = this.standing;
    const spread = failures === 0 ? (0.5 + random()) * pollEveryMs : backoffMs(failures - 1, LIMITS, random);
    this.stop = this.ports.runAfter(floor + spread, () => {
      this.stop = null;
      this.attempt();
    });
  }

  private show(connection: Connection): void {
    if (connection === this.connection) return;
    this.connection = connection;
    this.options.onConnection(connection);
  }
}

const resultOf = (
  { code, status }: ConnectionEnd,
  heldMs: number,
): 'good' | 'failed' | 'suspect' | 'impossible' => {
  if (code !== 'distrusted' && heldMs >= GOOD_AFTER_MS && code !== 'mute') return 'good';
  if (code === 'not-a-stream' || NO_STREAM_HERE.includes(status ?? 0)) return 'impossible';
  return ['ended', 'silent', 'mute', 'unanswered'].includes(code) ? 'suspect' : 'failed';
};
