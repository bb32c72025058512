import { Agent, request } from 'node:http';
import { seededRandom, writeOrder } from '../orders/write-orders.js';
import type { FromChild, LoadConfig, ToChild } from './messages.js';

/** Customers: sends orders to every instance in turn at a steady rate until told to stop. */
const TICK_MS = 20;
const MAX_UNDER_WAY = 500;

let stopped = false;
const counts = { sent: 0, answered: 0, failed: 0 };
const say = (message: FromChild): void => {
  if (process.connected) process.send?.(message);
};

const start = (config: LoadConfig): void => {
  const random = seededRandom(config.seed);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const doors = shuffled(
    config.targets.flatMap(({ port, instances }) =>
      Array.from({ length: instances }, (_, index) => ({ port, index })),
    ),
    random,
  );
  const perTick = (doors.length * config.perInstancePerSecond * TICK_MS) / 1_000;
  let due = 0;
  let turn = 0;
  const timer = setInterval(() => {
    if (stopped) return clearInterval(timer);
    due = Math.min(due + perTick, 4 * perTick);
    while (due >= 1 && counts.sent - counts.answered < MAX_UNDER_WAY) {
      due -= 1;
      const door = doors[turn++ % doors.length]!;
      send(agent, door.port, door.index, writeOrder(random));
    }
  }, TICK_MS);
};

const send = (agent: Agent, port: number, index: number, line: string): void => {
  counts.sent += 1;
  const done = (isGood: boolean): void => {
    counts.answered += 1;
    if (!isGood) counts.failed += 1;
  };
  const order = request(
    { host: '127.0.0.1', port, path: `/i/${index}/orders`, method: 'POST', agent },
    (response) => {
      response.resume();
      response.on('end', () => done(response.statusCode === 200));
    },
  );
  order.on('error', () => done(false));
  order.end(line);
};

const shuffled = <T>(from: readonly T[], random: () => number): readonly T[] =>
  from
    .map((value) => ({ value, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ value }) => value);

process.on('message', (message: ToChild) => {
  if (message.type === 'start-load') {
    start(message.config);
    say({ type: 'ready', port: 0 });
  }
  if (message.type === 'tally') say({ type: 'load', ...counts });
  if (message.type === 'stop') {
    stopped = true;
    process.exit(0);
  }
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {});
