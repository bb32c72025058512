import type { GrpcCall } from '../grpc/grpc-call.js';
import { frameOf } from '../grpc/grpc-frames.js';
import { EVALUATION_V2 } from '../proto/flagd-messages.js';
import { encodeAnswer } from '../proto/proto-json.js';
import type { EventSink, FlagdEvent } from './event-feed.js';

const frames = new WeakMap<FlagdEvent, Buffer>();

const frameOfEvent = (event: FlagdEvent): Buffer => {
  const found = frames.get(event);
  if (found !== undefined) return found;
  const frame = frameOf([encodeAnswer(EVALUATION_V2.EventStreamResponse, { ...event })]);
  frames.set(event, frame);
  return frame;
};

/** EventStream over gRPC. */
export const grpcEventSink = (call: GrpcCall): EventSink => ({
  send: (event, onSent) => call.send(frameOfEvent(event), onSent),
  endUnavailable: (message) => call.end('unavailable', message),
  cut: () => call.cut(),
  onClose: (listener) => call.onClose(listener),
});
