import { fromJson, type JsonObject, toBinary } from '@bufbuild/protobuf';
import { StructSchema } from '@bufbuild/protobuf/wkt';
import type { JsonValue } from '@headgate/contracts';
import type { ChannelFlags } from '../../flag-set/channel-flags.js';
import { fieldHead, frameOf } from '../grpc/grpc-frames.js';
import { FlagdRefused } from '../grpc/grpc-status.js';

/** What gRPC clients take unless they were told otherwise. */
export const MAX_MESSAGE_BYTES = 4 * 1_024 * 1_024;

/** `sync_context` of every state: attributes that in-process providers merge into each evaluation. */
export type SyncContext = { readonly [attribute: string]: JsonValue } | null;

/** The state of one channel as SyncFlags and FetchAllFlags send it: encoded once per revision, the same bytes for every stream. */
export class PreparedStates {
  private json: Buffer | null = null;
  private frame: Buffer | null = null;
  private bareFrame: Buffer | null = null;
  private readonly context: readonly Uint8Array[];

  constructor(
    private readonly flags: Pick<ChannelFlags, 'flagdJson'>,
    context: SyncContext,
    private readonly onTooLarge: (bytes: number) => void,
  ) {
    this.context = context === null ? [] : contextField(context);
  }

  /** A SyncFlagsResponse. Throws `FlagdRefused` when it is more than clients take. */
  syncFrame(): Buffer {
    this.refresh();
    this.frame ??= this.encode(this.context);
    return this.frame;
  }

  /** A FetchAllFlagsResponse: the same without the context. */
  fetchFrame(): Buffer {
    if (this.context.length === 0) return this.syncFrame();
    this.refresh();
    this.bareFrame ??= this.encode([]);
    return this.bareFrame;
  }

  private refresh(): void {
    const json = this.flags.flagdJson();
    if (json === this.json) return;
    this.json = json;
    this.frame = null;
    this.bareFrame = null;
    const bytes = this.lengthWith(this.context);
    if (bytes > MAX_MESSAGE_BYTES) this.onTooLarge(bytes);
  }

  private encode(context: readonly Uint8Array[]): Buffer {
    const json = this.json ?? Buffer.alloc(0);
    const bytes = this.lengthWith(context);
    if (bytes > MAX_MESSAGE_BYTES)
      throw new FlagdRefused(
        'resourceExhausted',
        `the flags of this channel are ${bytes} bytes, more than the ${MAX_MESSAGE_BYTES} that flagd clients take; end flags or part the channel`,
      );
    return frameOf([fieldHead(1, json.length), json, ...context]);
  }

  private lengthWith(context: readonly Uint8Array[]): number {
    const json = this.json ?? Buffer.alloc(0);
    return frameOverhead(json.length) + json.length + context.reduce((sum, part) => sum + part.length, 0);
  }
}

const frameOverhead = (length: number): number => fieldHead(1, length).length;

const contextField = (context: NonNullable<SyncContext>): readonly Uint8Array[] => {
  const bytes = toBinary(StructSchema, fromJson(StructSchema, context as JsonObject));
  return [fieldHead(2, bytes.length), bytes];
};
