import type { Socket } from 'node:net';
import type { FastifyReply } from '@headgate/service-kit';

const HEAD = [
  'HTTP/1.1 200 OK',
  'content-type: text/event-stream; charset=utf-8',
  'cache-control: no-store',
  'x-accel-buffering: no',
  'x-content-type-options: nosniff',
  // Without a length the body ends with the connection.
  'connection: close',
];
const BODY = ['', ': headgate', '', ''];
const PLAIN = Buffer.from([...HEAD, ...BODY].join('\r\n'));

/**
 * Takes the connection out of the HTTP server's hands: 3-5 kB each instead of 10-13, and one write per event. A client has
 * nothing more to say on it: one that sends another byte is cut off, so that it cannot queue requests behind its stream.
 * `headers`: further ones, of values that no caller can choose freely.
 */
export const openSse = (reply: FastifyReply, headers: Readonly<Record<string, string>> = {}): Socket => {
  reply.hijack();
  const socket = reply.raw.socket;
  if (socket === null) throw new Error('the connection is gone');
  socket.setTimeout(0);
  socket.setNoDelay(true);
  socket.removeAllListeners('data');
  socket.on('data', () => socket.destroy());
  socket.on('error', () => socket.destroy());
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.write(lines.length === 0 ? PLAIN : [...HEAD, ...lines, ...BODY].join('\r\n'));
  return socket;
};
