import { createHash, createPublicKey, verify } from 'node:crypto';
import { get } from 'node:http';
import { connectHeadgate, type Headgate } from '@headgate/sdk';
import { type FromClients, monotonicMs, type ToClients } from './messages.js';

/** One client process: real SDKs, or the least that could stand in their place. */
const say = (message: FromClients): void => {
  process.send?.(message);
};

/** Says so once all clients of this process have met `number`. */
const meeting = (of: 'sdk' | 'floor', count: number) => {
  const met = new Map<number, number[]>();
  return (number: number): void => {
    const at = met.get(number) ?? [];
    met.set(number, at);
    at.push(monotonicMs());
    if (at.length < count) return;
    met.delete(number);
    say({ type: 'reached', of, number, at });
  };
};

let clients: Headgate[] = [];

const follow = async ({ options, count }: Extract<ToClients, { type: 'follow' }>): Promise<void> => {
  const meet = meeting('sdk', count);
  clients = Array.from({ length: count }, (_, i) => {
    const client = connectHeadgate({ ...options, instanceId: `${process.pid}-${i}` });
    client.on('change', ({ position }) => meet(position));
    return client;
  });
  const ready = await Promise.all(clients.map((client) => client.ready(30_000)));
  const late = ready.indexOf(false);
  if (late === -1) say({ type: 'following' });
  else say({ type: 'failed', message: JSON.stringify(clients[late]?.status().problems) });
};

/** The floor of a client: take the bytes off the socket, one SHA-256 and one Ed25519 verification, and call back. */
const followFloor = async (asked: Extract<ToClients, { type: 'follow-floor' }>): Promise<void> => {
  const meet = meeting('floor', asked.count);
  const key = createPublicKey(asked.publicKey);
  await Promise.all(
    Array.from(
      { length: asked.count },
      () =>
        new Promise<void>((resolve, reject) => {
          get(asked.url, { agent: false, headers: { accept: 'text/event-stream' } }, (response) => {
            let text = '';
            response.setEncoding('utf8');
            response.on('data', (part: string) => {
              text += part;
              for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
                const line = text.slice(0, end);
                text = text.slice(end + 2);
                if (!line.startsWith('data: ')) continue;
                const { number, body, sig } = JSON.parse(line.slice(6));
                createHash('sha256').update(body).digest();
                if (!verify(null, Buffer.from(body), key, Buffer.from(sig, 'hex'))) process.exit(1);
                meet(number);
              }
            });
            resolve();
          }).on('error', reject);
        }),
    ),
  );
  say({ type: 'following' });
};

process.on('message', async (message: ToClients) => {
  try {
    if (message.type === 'follow') await follow(message);
    else if (message.type === 'follow-floor') await followFloor(message);
    else {
      await Promise.all(clients.map((client) => client.close()));
      say({ type: 'left' });
    }
  } catch (error) {
    say({ type: 'failed', message: (error as Error).stack ?? String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
