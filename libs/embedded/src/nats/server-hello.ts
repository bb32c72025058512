import { connect } from 'node:net';

/** What a nats-server says of itself to whoever connects, before any credentials. */
export interface ServerHello {
  readonly serverName: string;
  readonly version: string;
  readonly jetStream: boolean;
}

/** Reads the INFO line of a nats-server; `null` when nobody answers in time or what answers is no nats-server. */
export function serverHello(host: string, port: number, timeoutMs: number): Promise<ServerHello | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host, port });
    const done = (hello: ServerHello | null) => {
      socket.destroy();
      resolve(hello);
    };
    socket.setEncoding('utf8');
    socket.setTimeout(timeoutMs, () => done(null));
    socket.once('error', () => done(null));
    socket.once('close', () => done(null));
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\r\n');
      if (end >= 0) done(parseHello(text.slice(0, end)));
    });
  });
}

function parseHello(line: string): ServerHello | null {
  if (!line.startsWith('INFO ')) return null;
  try {
    const info: unknown = JSON.parse(line.slice('INFO '.length));
    if (typeof info !== 'object' || info === null) return null;
    const { server_name, version, jetstream } = info as Record<string, unknown>;
    if (typeof server_name !== 'string' || typeof version !== 'string') return null;
    return { serverName: server_name, version, jetStream: jetstream === true };
  } catch {
    return null;
  }
}
