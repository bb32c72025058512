import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

export interface GatewayProcess {
  readonly url: string;
  readonly port: number;
  /** Null without `HEADGATE_GRPC_PORT`. */
  readonly grpcPort: number | null;
  readonly pid: number;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

export interface GatewayProcessOptions {
  readonly natsUrl: string;
  readonly pin: string;
  readonly dataDir: string;
  /** 0 for a free one. */
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const MAIN = fileURLToPath(new URL('../../apps/gateway/dist/main.js', import.meta.url));

/** A gateway in a process of its own; built, not from source. It listens when this resolves, and may still be reading its channels. */
export const startGatewayProcess = async (options: GatewayProcessOptions): Promise<GatewayProcess> => {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HEADGATE_NATS_URL: options.natsUrl,
      HEADGATE_HTTP_PORT: String(options.port ?? 0),
      HEADGATE_DATA_DIR: options.dataDir,
      HEADGATE_GATEWAY_SOURCES: JSON.stringify([{ root: 'own', stream: 'FLAGS', pin: options.pin }]),
      ...options.env,
    },
  });
  let [out, log] = ['', ''];
  child.stdout.on('data', (part: Buffer) => {
    out += part.toString();
  });
  child.stderr.on('data', (part: Buffer) => {
    log = (log + part.toString()).slice(-20_000);
  });
  try {
    const ready = await until('the gateway listens', () => {
      if (child.exitCode !== null) throw new Error(`the gateway ended with code ${child.exitCode}`);
      const line = /^\{"ready":"gateway".*\}$/m.exec(out);
      return line
        ? (JSON.parse(line[0]) as { readonly url: string; readonly grpcPort: number | null })
        : null;
    });
    const port = Number(new URL(ready.url).port);
    return { ...ready, port, pid: child.pid ?? 0, kill: () => end(child) };
  } catch (cause) {
    await end(child);
    throw new Error(`the gateway did not start:\n${log}`, { cause });
  }
};

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
