import {
  type Beat,
  type ChannelState,
  type Commit,
  GATEWAY_EVENTS,
  type TrustBundle,
} from '@headgate/contracts';

/** `<epoch>.<n>` of a head: SSE id, and the first part of the ETag. */
export const revisionOf = ({ epoch, n }: { readonly epoch: number; readonly n: number }): string =>
  `${epoch}.${n}`;

const frame = (event: string, data: unknown, id?: string): Buffer =>
  Buffer.from(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

/** One state for both doors: the event of a stream, and within it the body of a plain answer. */
export interface EncodedState {
  readonly frame: Buffer;
  /** A part of `frame`. */
  readonly body: Buffer;
  /** Names revision and beat: a client that polls must notice a newer beat too, or its copy would go stale. */
  readonly etag: string;
}

export const encodeState = (state: ChannelState): EncodedState => {
  const revision = revisionOf(state.head.h);
  const bytes = frame(GATEWAY_EVENTS.state, state, revision);
  return {
    frame: bytes,
    body: bodyOf(bytes),
    etag: `"${revision}${state.beat === undefined ? '' : `.${state.beat.issuedAt}`}"`,
  };
};

/** The data of a frame, not copied. */
export const bodyOf = (bytes: Buffer): Buffer =>
  bytes.subarray(bytes.indexOf('data: ') + 'data: '.length, bytes.length - 2);

export const commitFrame = (commit: Commit): Buffer =>
  frame(GATEWAY_EVENTS.commit, commit, revisionOf(commit.head.h));

export const beatFrame = (beat: Beat): Buffer => frame(GATEWAY_EVENTS.beat, beat);

export const trustFrame = (trust: TrustBundle): Buffer => frame(GATEWAY_EVENTS.trust, trust);
