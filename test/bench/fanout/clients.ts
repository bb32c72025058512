import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { connectHeadgate, type Headgate } from '@headgate/sdk';
import { type FromClients, monotonicMs, type ToClients } from './messages.js';

/** One client process: event streams that are read and counted, and nothing else, so that servers are what is measured. */
const say = (message: FromClients): void => {
  if (process.connected) process.send?.(message);
};

const sockets = new Map<string, Socket[]>();
let followers: Headgate[] = [];
let stalled = 0;

/** How many of one server's clients have an event; says so once all that read have it. */
const counter = (url: string) => {
  const reached = new Map<string, number>();
  return (id: string): void => {
    const count = (reached.get(id) ?? 0) + 1;
    reached.set(id, count);
    if (count === (sockets.get(url)?.length ?? 0) - stalled)
      say({ type: 'reached', url, id, lastAt: monotonicMs() });
  };
};

const openOne = (url: URL, ca: string | undefined, onEvent: (id: string) => void): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const port = Number(url.port);
    const socket = ca
      ? connectTls({ host: url.hostname, port, ca, servername: '' })
      : connectTcp({ host: url.hostname, port });
    socket.once('error', reject);
    socket.once(ca ? 'secureConnect' : 'connect', () =>
      socket.write(
        `GET ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\naccept: text/event-stream\r\nconnection: close\r\n\r\n`,
      ),
    );
    let isOpen = false;
    socket.on('data', (data: Buffer) => {
      if (!isOpen) {
        isOpen = true;
        if (data.subarray(0, 15).toString('latin1') === 'HTTP/1.1 200 OK') resolve(socket);
        else reject(new Error(data.toString('latin1').slice(0, 200)));
        return;
      }
      // A small event comes in one piece; states and beats carry no id here or one that nobody waits for.
      if (data[0] !== 0x69) return;
      const text = data.toString('latin1', 4, 40);
      onEvent(text.slice(0, text.indexOf('\n')));
    });
  });

const open = async ({ url, count, atOnce, ca }: Extract<ToClients, { type: 'open' }>): Promise<void> => {
  const began = monotonicMs();
  const opened: Socket[] = [];
  sockets.set(url, opened);
  const onEvent = counter(url);
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      opened.push(await openOne(new URL(url), ca, onEvent));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (const socket of opened)
    socket.on('close', () => say({ type: 'failed', message: `a client of ${url} was cut off` }));
  say({ type: 'open', openedMs: monotonicMs() - began });
};

const follow = async ({ options, count }: Extract<ToClients, { type: 'follow' }>): Promise<void> => {
  followers = Array.from({ length: count }, (_, i) =>
    connectHeadgate({ ...options, instanceId: `${process.pid}-${i}` }),
  );
  const ready = await Promise.all(followers.map((client) => client.ready(60_000)));
  const late = ready.indexOf(false);
  if (late >= 0) say({ type: 'failed', message: JSON.stringify(followers[late]?.status().problems) });
  else say({ type: 'following' });
};

const close = async (): Promise<void> => {
  for (const socket of [...sockets.values()].flat()) socket.removeAllListeners('close').destroy();
  sockets.clear();
  stalled = 0;
  await Promise.all(followers.map((client) => client.close()));
  followers = [];
  say({ type: 'closed' });
};

const stall = (count: number): void => {
  for (const opened of sockets.values()) for (const socket of opened.slice(0, count)) socket.pause();
  stalled = count;
  say({ type: 'stalled' });
};

const dropStalled = (): void => {
  for (const opened of sockets.values())
    for (const socket of opened.splice(0, stalled)) socket.removeAllListeners('close').destroy();
  stalled = 0;
  say({ type: 'dropped' });
};

process.on('message', async (message: ToClients) => {
  try {
    if (message.type === 'open') await open(message);
    else if (message.type === 'follow') await follow(message);
    else if (message.type === 'close') await close();
    else if (message.type === 'drop-stalled') dropStalled();
    else stall(message.count);
  } catch (error) {
    say({ type: 'failed', message: (error as Error).stack ?? String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
