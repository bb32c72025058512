import type { ServedChannel } from '../../channels/served-channel.js';
import type { GrpcCall } from '../grpc/grpc-call.js';
import { FlagdRefused } from '../grpc/grpc-status.js';
import { type LiveStream, SHUTTING_DOWN } from '../live-stream.js';
import type { PreparedStates } from './prepared-states.js';

/**
 * One client of SyncFlags: the state at once, and the newest one whenever it changed. While one is on its way nothing is queued;
 * when it has left, the newest follows, whatever came in between.
 */
export class SyncStream implements LiveStream {
  stalledSince: number | null = null;
  private sent: Buffer | null = null;

  constructor(
    private readonly call: GrpcCall,
    channel: ServedChannel,
    private readonly states: PreparedStates,
    private readonly now: () => number,
  ) {
    call.onClose(channel.flags.onChange(() => this.push()));
    this.push();
  }

  /** Keepalive of the connection is HTTP/2's own. */
  keepAlive(): void {}

  shutDown(): void {
    this.call.end('unavailable', SHUTTING_DOWN);
  }

  cut(): void {
    this.call.cut();
  }

  private push(): void {
    if (this.stalledSince !== null || !this.call.isOpen) return;
    const frame = this.newest();
    if (frame === null || frame === this.sent) return;
    this.stalledSince = this.now();
    this.sent = frame;
    this.call.send(frame, () => {
      this.stalledSince = null;
      this.push();
    });
  }

  private newest(): Buffer | null {
    try {
      return this.states.syncFrame();
    } catch (error) {
      if (!(error instanceof FlagdRefused)) throw error;
      this.call.end(error.code, error.message);
      return null;
    }
  }
}
