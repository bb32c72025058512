import type { BenchChannel } from './channel.js';
import { monotonicMs } from './messages.js';
import { type Bare, type Crowd, median, rest, round, type Server } from './parts.js';

const FLAGS_PATH = 'flags/bench/stable/';
export const streamOf = ({ url }: Server): string => `${url}/${FLAGS_PATH}`;

/** Milliseconds from the publication of one change until the last client of all `gateways` has it. */
export const timeGateways = async (
  channel: BenchChannel,
  crowd: Crowd,
  gateways: readonly Server[],
  bytes = 0,
): Promise<{ readonly ms: number; readonly frame: Buffer; readonly id: string }> => {
  const { id, commit, frame } = channel.next(bytes);
  const reached = crowd.reached(gateways.map(streamOf), id);
  const began = monotonicMs();
  await channel.publish(commit);
  return { ms: (await reached) - began, frame, id };
};

const timeBare = async (
  crowd: Crowd,
  servers: readonly Bare[],
  { frame, id }: { readonly frame: Buffer; readonly id: string },
): Promise<number> => {
  const reached = crowd.reached(
    servers.map(({ url }) => url),
    id,
  );
  const began = monotonicMs();
  for (const server of servers) server.write(frame);
  return (await reached) - began;
};

export interface Compared {
  readonly gatewayMs: number;
  readonly bareMs: number;
  readonly timeRatio: number;
}

/** The same bytes to as many sockets, in turn. */
export const compare = async (
  channel: BenchChannel,
  crowd: Crowd,
  gateways: readonly Server[],
  bare: readonly Bare[],
  { rounds = 11, warmUp = 5 } = {},
): Promise<Compared> => {
  const [ours, floor]: [number[], number[]] = [[], []];
  for (let nth = 0; nth < warmUp + rounds; nth += 1) {
    await rest(200);
    const timed = await timeGateways(channel, crowd, gateways);
    await rest(200);
    const least = await timeBare(crowd, bare, timed);
    if (nth < warmUp) continue;
    ours.push(timed.ms);
    floor.push(least);
  }
  return {
    gatewayMs: round(median(ours)),
    bareMs: round(median(floor)),
    timeRatio: round(median(ours) / median(floor)),
  };
};
