import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import type { BenchChannel } from './channel.js';
import { monotonicMs } from './messages.js';
import { type Crowd, later, rest, round, type Server } from './parts.js';

const CELL_MS = 100;
/** The last few decide nothing about how the many came. */
const MOST = 0.95;

/**
 * SDKs lose their connections all at once and come back by themselves. Arrivals are counted where the gateway would see them:
 * `peakRatio` is the fullest 100 ms against the mean over the time in which 95 % came back.
 */
export const measureReconnect = async (
  channel: BenchChannel,
  crowd: Crowd,
  gateway: Server,
  clients: number,
) => {
  const open = new Set<Socket>();
  let arrivals: number[] = [];
  const port = Number(new URL(gateway.url).port);
  const relay = createServer((socket) => {
    arrivals.push(monotonicMs());
    const onward = connect({ host: '127.0.0.1', port });
    open.add(socket);
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
    socket.on('close', () => open.delete(socket));
  });
  later(relay, () => {
    for (const socket of open) socket.destroy();
    relay.close();
  });
  await new Promise<void>((resolve) => {
    relay.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve);
  });
  const url = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  const { project, channel: name, pin } = channel.signed;
  await crowd.follow(
    { url, project, channel: name, root: pin, siteSalt: 'bench', telemetry: false },
    clients,
  );
  arrivals = [];
  const droppedAt = monotonicMs();
  for (const socket of open) socket.resetAndDestroy();
  while (arrivals.length < clients && monotonicMs() - droppedAt < 60_000) await rest(20);
  await crowd.close();
  const times = arrivals.map((at) => at - droppedAt).sort((a, b) => a - b);
  const most = times.slice(0, Math.ceil(times.length * MOST));
  const spanMs = most.at(-1) ?? 0;
  const cells = new Map<number, number>();
  for (const time of times) {
    const cell = Math.floor(time / CELL_MS);
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
  }
  const peakPerSecond = (Math.max(...cells.values()) * 1_000) / CELL_MS;
  const steadyPerSecond = (most.length * 1_000) / spanMs;
  return {
    clients: times.length,
    mostBackWithinMs: round(spanMs, 0),
    peakPerSecond: round(peakPerSecond, 0),
    steadyPerSecond: round(steadyPerSecond, 0),
    peakRatio: round(peakPerSecond / steadyPerSecond),
  };
};
