import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range from which the kernel takes ports of outgoing connections: a client that keeps dialling the port of a
 * server that is down can otherwise be given that very port, connect to itself and keep the server out.
 */
const LOWEST = 15_000;
const HIGHEST = 30_000;

/** A port of 127.0.0.1 nobody listens on now; `taken` are ports already promised to somebody. */
export async function freeLoopbackPort(
  taken: readonly number[] = [],
  random: (lowest: number, beyond: number) => number = randomInt,
): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = random(LOWEST, HIGHEST);
    if (!taken.includes(port) && (await isPortFree(port))) return port;
  }
  throw new Error(`no free port found on 127.0.0.1 between ${LOWEST} and ${HIGHEST}`);
}

export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
