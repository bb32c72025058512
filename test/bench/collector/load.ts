import { Agent, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

/** A worker that posts bodies over kept-alive connections for a while and counts the 202s. */
export interface LoadOrder {
  readonly url: string;
  readonly token: string;
  readonly connections: number;
  readonly forMs: number;
  readonly bodies: readonly string[];
}

export interface LoadAnswer {
  readonly accepted: number;
  readonly other: number;
  readonly elapsedMs: number;
}

const order = workerData as LoadOrder;
const agent = new Agent({ keepAlive: true, maxSockets: order.connections });
const begun = performance.now();
let accepted = 0;
let other = 0;
let next = 0;

const post = (body: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${order.token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const sent = request(order.url, { method: 'POST', agent, headers }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(body);
  });

const connection = async (): Promise<void> => {
  while (performance.now() - begun < order.forMs) {
    const status = await post(order.bodies[next++ % order.bodies.length]!);
    if (status === 202) accepted += 1;
    else other += 1;
  }
};

await Promise.all(Array.from({ length: order.connections }, connection));
const answer: LoadAnswer = { accepted, other, elapsedMs: performance.now() - begun };
parentPort?.postMessage(answer);
agent.destroy();
