import type { Socket } from 'node:net';
import type { FastifyReply } from '@headgate/service-kit';
import type { EventSink, FlagdEvent } from '../evaluation/event-feed.js';
import { frameOf } from '../grpc/grpc-frames.js';
import { FlagdRefused } from '../grpc/grpc-status.js';
import { connectError } from './connect-status.js';

/** Marks the last frame of a Connect stream, which says how it ended. */
const END_OF_STREAM = 0b10;

const frames = new WeakMap<FlagdEvent, Buffer>();

const frameOfEvent = (event: FlagdEvent): Buffer => {
  const found = frames.get(event);
  if (found !== undefined) return found;
  const frame = frameOf([Buffer.from(JSON.stringify(event))]);
  frames.set(event, frame);
  return frame;
};

/** EventStream of Connect over HTTP/1.1: takes the answer out of Fastify's hands. */
export const connectEventSink = (
  reply: FastifyReply,
  headers: Readonly<Record<string, string>>,
): EventSink => {
  reply.hijack();
  const { raw } = reply;
  (raw.socket as Socket | null)?.setTimeout(0);
  raw.writeHead(200, {
    ...headers,
    'content-type': 'application/connect+json',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  raw.flushHeaders();
  return {
    send: (event, onSent) => {
      if (raw.writable) raw.write(frameOfEvent(event), (error) => (error ? undefined : onSent()));
    },
    endUnavailable: (message) => {
      const { body } = connectError(new FlagdRefused('unavailable', message));
      if (raw.writable) raw.end(frameOf([Buffer.from(JSON.stringify({ error: body }))], END_OF_STREAM));
    },
    cut: () => raw.destroy(),
    onClose: (listener) => {
      if (raw.closed) listener();
      else raw.once('close', listener);
    },
  };
};
