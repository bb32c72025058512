import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freeLoopbackPort, isPortFree, writePrivateFile } from '@headgate/embedded';

interface Listener {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
}

/**
 * The port to serve on: the one asked for, else the one of the last start if nobody has taken it, else a free one. SDKs and scripts
 * of a restarted installation find it again. Throws when the port asked for is taken.
 */
export const settleHttpPort = (runFolder: string, listener: Listener): Promise<number> =>
  settlePort(join(runFolder, 'http-port'), listener, '--port or HEADGATE_HTTP_PORT');

/** The same for flagd's gRPC services. */
export const settleGrpcPort = (runFolder: string, listener: Listener): Promise<number> =>
  settlePort(join(runFolder, 'grpc-port'), listener, 'HEADGATE_GRPC_PORT');

const settlePort = async (
  file: string,
  { host, port: wanted }: Listener,
  setting: string,
): Promise<number> => {
  if (wanted !== 0) {
    if (await isPortFree(wanted, host)) return wanted;
    throw new Error(`port ${wanted} of ${host} is in use; free it, or choose another with ${setting}`);
  }
  const last = readPort(file);
  const port = last !== null && (await isPortFree(last, host)) ? last : await freeLoopbackPort();
  if (port !== last) writePrivateFile(file, `${port}\n`);
  return port;
};

const readPort = (file: string): number | null => {
  try {
    const port = Number(readFileSync(file, 'utf8').trim());
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
  } catch {
    return null;
  }
};
